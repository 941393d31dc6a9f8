namespace PaDiM.Core.Evaluation;

/// <summary>
/// The curve of per-region overlap over false positives, walked from the highest score to the lowest. Between two
/// pixels of regions the overlap stands still, so that only the steps before and after such a pixel are corners; areas
/// grow along, and no corner is kept.
/// </summary>
/// <param name="regions">Number of defect regions in all images.</param>
/// <param name="defectFree">Number of pixels outside all regions in all images.</param>
/// <param name="limits">False-positive rates up to which areas are wanted.</param>
internal sealed class ProCurve(int regions, long defectFree, params double[] limits)
{
    private readonly PartialArea[] _areas = [.. limits.Select(limit => new PartialArea(limit * defectFree))];
    private long _normals,
        _anomalies,
        _corner;
    private double _overlap;

    /// <summary>
    /// Twice the number of pairs of an anomalous and a normal pixel in which the anomalous one scores higher, ties
    /// counting 1.
    /// </summary>
    private UInt128 _wonPairs;

    /// <summary>Takes the pixels of one score, or normal ones between two scores of anomalous ones.</summary>
    /// <param name="normalPixels">Outside all regions.</param>
    /// <param name="anomalousPixels">Inside a region.</param>
    /// <param name="share">Sum of the shares that these are of their regions.</param>
    public void Add(long normalPixels, long anomalousPixels, double share)
    {
        // Anomalous pixels met so far beat these normal ones; those of this very step tie with them.
        _wonPairs += (UInt128)normalPixels * (UInt128)(2 * _anomalies + anomalousPixels);
        if (anomalousPixels > 0 && _corner < _normals)
            AddCorner();
        _normals = _normals + normalPixels;
        _anomalies = _anomalies + anomalousPixels;
        _overlap = _overlap + share;
        if (anomalousPixels > 0)
            AddCorner();
    }

    /// <summary>
    /// Area under the ROC curve of pixels, after the last step; NaN when there is no anomalous or no normal pixel.
    /// </summary>
    public double GetAuroc() => (double)_wonPairs / (2.0 * _anomalies * _normals);

    /// <summary>
    /// Area up to a limit, one of those wanted, divided by it, after the last step; NaN when there is no region or no
    /// normal pixel.
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
