using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>A test image's map with the mask of its defects.</summary>
public sealed class ScoredPixels
{
    /// <summary>Label of a pixel that is left out of every measure.</summary>
    private const int Ignored = -1;

    private readonly AnomalyMap map;
    private readonly int[]? labels;
    private readonly List<int> sizes;

    /// <summary>A map, its mask and what is left out of it.</summary>
    /// <param name="map">Scores at the mask's size, finite, at least 0.</param>
    /// <param name="mask">Shape of the map, true where the defect is; null for a normal image.</param>
    /// <param name="ignored">
    /// Shape of the map, true where a pixel counts neither as normal nor as anomalous; null where all count. Regions are what is left of the mask: a
    /// strip that is ignored may part one defect into two, and a defect that is ignored as a whole is none.
    /// </param>
    /// <exception cref="ArgumentException">The mask, or what is ignored, has another size.</exception>
    public ScoredPixels(AnomalyMap map, bool[]? mask, bool[]? ignored = null)
    {
        this.map = map;
        if (mask is not null) Shapes.Checked(mask, map.Grid.Positions);
        if (ignored is not null) Shapes.Checked(ignored, map.Grid.Positions);
        if (mask is null && ignored is null)
        {
            sizes = [map.Values.Length];
            return;
        }
        mask ??= new bool[map.Grid.Positions];
        if (ignored is null)
        {
            (labels, sizes) = ConnectedComponents.Label(mask, map.Grid);
            return;
        }
        (labels, sizes) = ConnectedComponents.Label([.. mask.Zip(ignored, (defect, left) => defect && !left)], map.Grid);
        for (var p = 0; p < ignored.Length; p++)
            if (ignored[p]) labels[p] = Ignored;
    }

    /// <summary>Scores, row-major.</summary>
    public ReadOnlySpan<float> Scores => map.Values;

    /// <summary>Number of defect regions.</summary>
    public int Regions => sizes.Count - 1;

    /// <summary>Whether the pixel counts as normal or as anomalous.</summary>
    internal bool Counts(int pixel) => labels is null || labels[pixel] != Ignored;

    /// <summary>The share of its region that a pixel is, 1 / pixels of the region; 0 outside all regions.</summary>
    internal double ShareOf(int pixel) => labels?[pixel] is > 0 and var region ? 1.0 / sizes[region] : 0;
}
