namespace PaDiM.Core.Evaluation;

/// <summary>How well maps separate anomalous from normal pixels, over all pixels of all test images.</summary>
/// <param name="Auroc">Area under the ROC curve of pixels, 0 to 1; NaN without anomalous or without normal
/// pixels.</param>
/// <param name="AuPro30">Area under the per-region-overlap curve up to a false-positive rate of 0.3, divided by 0.3;
/// NaN in the same cases.</param>
/// <param name="AuPro05">The same area up to 0.05, divided by 0.05.</param>
public sealed record PixelMetrics(double Auroc, double AuPro30, double AuPro05)
{
    private const double WideLimit = 0.3,
        NarrowLimit = 0.05;

    /// <summary>Gets the metrics of a set without defects: all NaN.</summary>
    public static PixelMetrics Undefined { get; } = new(double.NaN, double.NaN, double.NaN);

    /// <summary>Computes the metrics of maps that are in memory; see <see cref="ComputeByDefect"/>.</summary>
    /// <param name="maps">Maps of test images.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    public static PixelMetrics Compute(IReadOnlyList<ScoredPixels> maps, ParallelOptions? parallel = null) =>
        ComputeByDefect([.. maps.Select(map => new LabelledMap(null, () => map))], parallel).All;

    /// <summary>
    /// Computes the metrics as MVTec defines them (Bergmann et al., IJCV 2021): the exact curve with ties merged,
    /// 8-connected regions of the masks, linear interpolation at the limit. The whole set and each kind of defect are
    /// measured in the same passes.
    /// </summary>
    /// <remarks>
    /// Nothing is sorted. The first pass collects the distinct scores of anomalous pixels. Only the number of normal
    /// pixels between two of these scores matters, so later passes count them, highest scores first. One pass handles
    /// as many scores as fit into 1 GiB of counters, at 32 bytes per score for each kind and for the normal images;
    /// most test sets need few passes. Cost: creating each map and one look-up per pixel in each pass, on several
    /// cores. In addition to the counters, memory holds two maps per core. The result does not depend on the number of
    /// cores.
    /// </remarks>
    /// <param name="maps">Test images.</param>
    /// <param name="parallel">Degree of parallelism and cancellation between images; all cores when null.</param>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
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
