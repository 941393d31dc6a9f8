namespace PaDiM.Core.Evaluation;

/// <summary>How well maps tell anomalous pixels from normal ones, over all pixels of all test images.</summary>
/// <param name="Auroc">Area under the ROC curve of pixels; NaN when there is no anomalous or no normal pixel.</param>
/// <param name="AuPro30">Area up to a false-positive rate of 0.3 under the per-region-overlap curve, divided by 0.3;
/// NaN likewise.</param>
/// <param name="AuPro05">The same up to 0.05.</param>
public sealed record PixelMetrics(double Auroc, double AuPro30, double AuPro05)
{
    private const double WideLimit = 0.3,
        NarrowLimit = 0.05;

    /// <summary>What there is to say of no defect at all: NaN everywhere.</summary>
    public static PixelMetrics Undefined { get; } = new(double.NaN, double.NaN, double.NaN);

    /// <summary>Measures maps that are in memory; see <see cref="ComputeByDefect"/>.</summary>
    /// <param name="maps">Test images.</param>
    /// <param name="parallel">Cores to use; all where null.</param>
    public static PixelMetrics Compute(IReadOnlyList<ScoredPixels> maps, ParallelOptions? parallel = null) =>
        ComputeByDefect([.. maps.Select(map => new LabelledMap(null, () => map))], parallel).All;

    /// <summary>
    /// Measures maps as MVTec defines it (Bergmann et al., IJCV 2021): exact curve with ties merged, 8-connected
    /// regions of the masks, linear interpolation at the limit. The whole set and each kind of defect are measured in
    /// the same passes.
    /// </summary>
    /// <remarks>
    /// Nothing is sorted. A first pass marks the different scores of anomalous pixels; normal pixels matter only by how
    /// many of them lie between two of these, so that later passes count them there, the highest scores first. One such
    /// pass takes as many scores as 1 GiB holds counters for, which is 32 bytes for each score in each kind and in the
    /// normal images; usual test sets need few. Cost: drawing each map and one look-up for each pixel in each pass,
    /// spread over cores. Besides the counters, memory holds two maps for each core. The result is the same on any
    /// number of cores.
    /// </remarks>
    /// <param name="maps">Test images.</param>
    /// <param name="parallel">Cores to use, all where null, and what stops the work between two images.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static PixelMetricsByDefect ComputeByDefect(
        IReadOnlyList<LabelledMap> maps,
        ParallelOptions? parallel = null
    )
    {
        var (all, perDefect) = new PixelCurveBuilder(maps, parallel ?? Partition.AllCores).Build(
            WideLimit,
            NarrowLimit
        );
        return new PixelMetricsByDefect(
            FromCurve(all),
            perDefect.ToDictionary(kind => kind.Defect, kind => FromCurve(kind.Curve), StringComparer.Ordinal)
        );
    }

    private static PixelMetrics FromCurve(ProCurve curve) =>
        new(curve.GetAuroc(), curve.GetAuPro(WideLimit), curve.GetAuPro(NarrowLimit));
}
