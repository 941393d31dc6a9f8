using PaDiM.Onnx.Imaging;

namespace PaDiM.Onnx.Tests.Imaging;

public sealed class DecodingMemoryTests
{
    [Fact]
    public async Task An_image_without_room_waits_until_there_is_some()
    {
        var memory = new DecodingMemory(100);
        var first = memory.Take(60);
        using (memory.Take(40)) { }
        var second = Task.Run(() => memory.Take(60));
        Assert.NotSame(second, await Task.WhenAny(second, Task.Delay(100)));
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task A_small_image_does_not_pass_a_large_one_that_waits()
    {
        var memory = new DecodingMemory(100);
        var first = memory.Take(60);
        var large = Task.Run(() => memory.Take(100));
        await Task.Delay(100);
        var small = Task.Run(() => memory.Take(1));
        await Task.Delay(100);
        Assert.False(large.IsCompleted || small.IsCompleted);
        first.Dispose();
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public void An_image_that_needs_more_than_there_is_is_decoded_by_itself()
    {
        var memory = new DecodingMemory(100);
        for (var i = 0; i < 3; i++)
            using (memory.Take(long.MaxValue)) { }
    }
}
