using PaDiM.Engine.Machine;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Tests;

public sealed class MemoryPlanTests
{
    private const long Gibibyte = 1L << 30;

    [Fact]
    public void A_small_container_keeps_memory_for_the_program()
    {
        var plan = Create(Gibibyte);
        Assert.Equal(Gibibyte / 4, plan.ModelCache.Bytes);
        Assert.Equal(Gibibyte / 8, plan.Decoding.Bytes);
        Assert.Equal(Gibibyte / 4, plan.LargestDecodeBytes);
        Assert.Equal("1/4 of 1.0 GiB (memory.max)", plan.ModelCache.Reason);
    }

    [Fact]
    public void A_large_machine_has_the_shares_that_it_always_had()
    {
        var plan = Create(64 * Gibibyte);
        Assert.Equal((4 * Gibibyte, Gibibyte), (plan.ModelCache.Bytes, plan.Decoding.Bytes));
        Assert.Equal("the most without the setting ModelCacheBytes", plan.ModelCache.Reason);
    }

    [Fact]
    public void Settings_go_first()
    {
        var plan = Create(
            Gibibyte,
            new MemoryOptions { ModelCacheBytes = 8 * Gibibyte, DecodeMemoryBytes = Gibibyte / 2 }
        );
        Assert.Equal((8 * Gibibyte, Gibibyte / 2), (plan.ModelCache.Bytes, plan.Decoding.Bytes));
        Assert.Equal(Gibibyte / 2, plan.LargestDecodeBytes);
        Assert.Equal("the setting DecodeMemoryBytes", plan.Decoding.Reason);
    }

    private static MemoryPlan Create(long limit, MemoryOptions? options = null) =>
        MemoryPlan.Create(new MemoryLimit(limit, "memory.max"), options ?? new MemoryOptions());
}
