using System.Security.Cryptography;
using PaDiM.Service.Images;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Tests;

/// <summary>The bytes of a file: read with as few copies as possible, and hashed beside other work.</summary>
public sealed class FileBufferTests
{
    private const int Large = 3 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(FileBuffer.BeginningLength)]
    [InlineData(Large)]
    public void A_file_comes_out_as_it_went_in(int length)
    {
        var file = RandomNumberGenerator.GetBytes(length);
        foreach (int? announced in new int?[] { null, length, length + 1, length / 2 })
        {
            var buffer = new FileBuffer(announced);
            Write(buffer, file, at => (at % 5000) + 1);
            Assert.Equal(length, buffer.Length);
            Assert.True(file.AsSpan().StartsWith(buffer.Beginning));
            if (announced is null || announced >= length)
                Assert.True(buffer.Beginning.Length >= Math.Min(length, FileBuffer.BeginningLength));
            Assert.False(buffer.GetFree().IsEmpty);
            Assert.Equal(file, buffer.ToArray());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData(Large)]
    public void A_file_of_the_announced_length_is_not_copied_at_its_end(int length)
    {
        var buffer = new FileBuffer(length);
        Write(buffer, new byte[length], _ => length);
        Assert.False(buffer.GetFree().IsEmpty);
        var file = buffer.ToArray();
        Assert.Equal(length, file.Length);
        Assert.Same(file, buffer.ToArray());
    }

    [Fact]
    public void What_is_announced_takes_no_memory_until_it_arrives()
    {
        var buffer = new FileBuffer(int.MaxValue);
        Assert.InRange(buffer.GetFree().Length, 1, 1 << 20);
    }

    [Theory]
    [InlineData(BodyHash.MinimumBytes, 2, true)]
    [InlineData(BodyHash.MinimumBytes - 1, 2, false)]
    [InlineData(BodyHash.MinimumBytes, 1, false)]
    public void Large_files_are_hashed_beside_other_work(int length, int threads, bool isBeside)
    {
        var file = RandomNumberGenerator.GetBytes(length);
        var hash = BodyHash.Start(file, threads);
        if (isBeside)
            SpinWait.SpinUntil(() => hash.IsComputed);
        else
            Assert.False(hash.IsComputed);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file)), hash.Sha256);
    }

    private static void Write(FileBuffer buffer, byte[] file, Func<int, int> count)
    {
        for (var at = 0; at < file.Length; )
        {
            var free = buffer.GetFree();
            var part = file.AsMemory(at, Math.Min(Math.Min(count(at), free.Length), file.Length - at));
            part.CopyTo(free);
            buffer.Advance(part.Length);
            at += part.Length;
        }
    }
}
