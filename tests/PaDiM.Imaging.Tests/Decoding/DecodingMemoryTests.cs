using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class DecodingMemoryTests
{
    private readonly DecodingMemory _memory = new(100);

    [Fact]
    public void An_image_without_room_waits_until_there_is_some()
    {
        var first = Ask(60);
        using (var small = Ask(40))
            Assert.True(small.Granted.IsCompleted);
        using var second = Ask(60);
        Assert.False(second.Granted.IsCompleted);
        first.Dispose();
        Assert.True(second.Granted.IsCompleted);
    }

    [Fact]
    public void A_small_image_does_not_pass_a_large_one_that_waits()
    {
        var first = Ask(60);
        var large = Ask(100);
        using var small = Ask(1);
        Assert.False(large.Granted.IsCompleted || small.Granted.IsCompleted);
        first.Dispose();
        Assert.True(large.Granted.IsCompleted);
        Assert.False(small.Granted.IsCompleted);
        large.Dispose();
        Assert.True(small.Granted.IsCompleted);
    }

    [Fact]
    public void An_urgent_image_passes_those_that_wait()
    {
        using var first = Ask(60);
        using var large = Ask(100);
        using (var urgent = _memory.Ask(40, isUrgent: true))
            Assert.True(urgent.Granted.IsCompleted);
        Assert.False(large.Granted.IsCompleted);
    }

    [Fact]
    public void Who_gives_up_his_turn_lets_the_next_one_in()
    {
        using var first = Ask(60);
        var large = Ask(100);
        using var small = Ask(40);
        large.Dispose();
        Assert.True(small.Granted.IsCompleted);
        Assert.False(large.Granted.IsCompleted);
    }

    [Fact]
    public void An_image_that_needs_more_than_there_is_is_decoded_by_itself()
    {
        for (var i = 0; i < 3; i++)
            using (var all = Ask(long.MaxValue))
                Assert.True(all.Granted.IsCompleted);
    }

    private DecodingMemory.Share Ask(long bytes) => _memory.Ask(bytes, isUrgent: false);
}
