using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
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

    [Fact]
    public void Fits_have_what_images_leave_and_loaded_models_give_way()
    {
        var plan = Create(Gibibyte);
        Assert.Equal(Gibibyte * 5 / 8, plan.Fits.Bytes);
        Assert.Equal("what the images of requests and jobs leave of 1.0 GiB (memory.max)", plan.Fits.Reason);
        // A fit at the default settings, which needs half a gibibyte.
        Assert.Null(FitEstimate.Create(new FitSettings(), new Grid(64, 64), 100, 200).ValidateMemory(plan.Fits.Bytes));
        var much = Create(Gibibyte, new MemoryOptions { DecodeMemoryBytes = Gibibyte });
        Assert.Equal((Gibibyte / 4, "1/4 of 1.0 GiB (memory.max)"), (much.Fits.Bytes, much.Fits.Reason));
        Assert.Equal(Gibibyte / 2, Create(Gibibyte, heap: Gibibyte / 2).Fits.Bytes);
    }

    private static MemoryPlan Create(long limit, MemoryOptions? options = null, long heap = long.MaxValue) =>
        MemoryPlan.Create(new MemoryLimit(limit, "memory.max"), heap, options ?? new MemoryOptions());
}
