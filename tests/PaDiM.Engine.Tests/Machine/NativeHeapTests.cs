using System.Runtime.InteropServices;
using PaDiM.Engine.Machine;

namespace PaDiM.Engine.Tests.Machine;

public sealed class NativeHeapTests
{
    [Fact]
    public void Trimming_returns_what_is_free_below_what_is_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other C libraries have their own policy.");
        const int Block = 64 << 10,
            Blocks = 2000;
        var blocks = new nint[Blocks];
        byte[] ones = [.. Enumerable.Repeat((byte)1, Block)];
        for (var i = 0; i < Blocks; i++)
        {
            blocks[i] = Marshal.AllocHGlobal(Block);
            Marshal.Copy(ones, 0, blocks[i], Block);
        }
        // The last one keeps the C library from returning the rest by itself.
        for (var i = 0; i < Blocks - 1; i++)
            Marshal.FreeHGlobal(blocks[i]);
        var before = Environment.WorkingSet;
        NativeHeap.Trim();
        var after = Environment.WorkingSet;
        Marshal.FreeHGlobal(blocks[^1]);
        Assert.True(before - after > (long)Block * Blocks / 2, $"It held {before >> 20} MiB, and then {after >> 20}.");
    }
}
