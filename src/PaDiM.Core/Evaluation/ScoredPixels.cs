using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>A test image's map with the mask of its defects.</summary>
public sealed class ScoredPixels
{
    private readonly AnomalyMap map;
    private readonly int[]? labels;
    private readonly List<int> sizes;

    /// <summary>A map and its mask.</summary>
    /// <param name="map">Scores at the mask's size, finite, at least 0.</param>
    /// <param name="mask">Shape of the map, true where the defect is; null for a normal image.</param>
    /// <exception cref="ArgumentException">The mask has another size.</exception>
    public ScoredPixels(AnomalyMap map, bool[]? mask)
    {
        this.map = map;
        if (mask is null) sizes = [map.Values.Length];
        else (labels, sizes) = ConnectedComponents.Label(Shapes.Checked(mask, map.Grid.Positions), map.Grid);
    }

    /// <summary>Scores, row-major.</summary>
    public ReadOnlySpan<float> Scores => map.Values;

    /// <summary>Number of defect regions.</summary>
    public int Regions => sizes.Count - 1;

    /// <summary>The share of its region that a pixel is, 1 / pixels of the region; 0 outside all regions.</summary>
    internal double ShareOf(int pixel) => labels?[pixel] is > 0 and var region ? 1.0 / sizes[region] : 0;
}
