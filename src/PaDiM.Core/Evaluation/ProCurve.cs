namespace PaDiM.Core.Evaluation;

/// <summary>
/// The curve of per-region overlap over false positives, built from the highest score to the lowest. The overlap only
/// changes at pixels of regions, so only the points before and after such a pixel are corners. Areas are summed while
/// the curve grows, and no corner is stored.
/// </summary>
/// <param name="regions">Number of defect regions in all images.</param>
/// <param name="defectFree">Number of pixels outside of all regions in all images.</param>
/// <param name="limits">False-positive rates up to which areas are computed.</param>
internal sealed class ProCurve(int regions, long defectFree, params double[] limits)
{
    private readonly PartialArea[] _areas = [.. limits.Select(limit => new PartialArea(limit * defectFree))];
    private long _normals,
        _anomalies,
        _corner;
    private double _overlap;

    /// <summary>
    /// Twice the number of pairs of an anomalous and a normal pixel in which the anomalous one scores higher; a tie
    /// counts 1.
    /// </summary>
    private UInt128 _wonPairs;

    /// <summary>Adds the pixels with one score, or the normal ones between two scores of anomalous pixels.</summary>
    /// <param name="normalPixels">Number of pixels outside of all regions.</param>
    /// <param name="anomalousPixels">Number of pixels inside of regions.</param>
    /// <param name="share">Sum over these of 1 / number of pixels in their region.</param>
    public void Add(long normalPixels, long anomalousPixels, double share)
    {
        // Anomalous pixels with higher scores win against these normal ones, those with the same score tie.
        _wonPairs += (UInt128)normalPixels * (UInt128)(2 * _anomalies + anomalousPixels);
        if (anomalousPixels > 0 && _corner < _normals)
            AddCorner();
        _normals += normalPixels;
        _anomalies += anomalousPixels;
        _overlap += share;
        if (anomalousPixels > 0)
            AddCorner();
    }

    /// <summary>
    /// Gets the area under the ROC curve of pixels, once all pixels are added; NaN without anomalous or normal pixels.
    /// </summary>
    public double GetAuroc() => (double)_wonPairs / (2.0 * _anomalies * _normals);

    /// <summary>
    /// Gets the area up to one of the limits, divided by the limit, once all pixels are added; NaN without regions or
    /// normal pixels.
    /// </summary>
    public double GetAuPro(double limit)
    {
        AddCorner();
        return regions == 0 || _normals == 0 ? double.NaN : _areas[Array.IndexOf(limits, limit)].Mean / regions;
    }

    private void AddCorner()
    {
        _corner = _normals;
        foreach (var area in _areas)
            area.AddCorner(_normals, _overlap);
    }
}
