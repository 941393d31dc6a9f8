using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;

namespace PaDiM.Engine.Tests.Support;

/// <summary>Calls the engine with the context that tests use, where the context is not what they are about.</summary>
internal static class OnThreadPool
{
    public static ComputeContext Context { get; } = ComputeContext.OnThreadPool(Environment.ProcessorCount);

    public static AnomalyMap Score(this ModelScorer scorer, RgbImage image) => scorer.Score(image, Context);

    public static AnomalyMap Score(this ModelScorer scorer, RgbImage image, out RigidTransform placement) =>
        scorer.Score(image, Context, out placement);

    public static BackboneFeatures Extract(
        this Backbone backbone,
        float[] prepared,
        int count,
        Grid size,
        ChannelReduction reduction
    ) => backbone.Extract(prepared, count, size, reduction, Context);
}
