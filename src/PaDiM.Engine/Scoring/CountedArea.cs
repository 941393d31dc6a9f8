using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;

namespace PaDiM.Engine.Scoring;

/// <summary>What of a prepared image counts. Immutable, thread-safe.</summary>
/// <param name="settings">The settings of the model.</param>
/// <param name="content">What shows the original.</param>
/// <param name="region">The pixels that count; null for all.</param>
internal sealed class CountedArea(FitSettings settings, Grid content, RegionOfInterest? region)
{
    /// <summary>Gets the size of what shows the original.</summary>
    public Grid Content { get; } = content;

    /// <summary>Gets the pixels that count; null for all.</summary>
    public RegionOfInterest? Region { get; } = region;

    /// <summary>Gets the number of pixels that count.</summary>
    public int Pixels { get; } = region?.CountedPixels ?? settings.GetPreparedSize().Positions;

    /// <summary>Gets what reads the score of an image off its map.</summary>
    public ImageScore Score { get; } = settings.CreateImageScore(region);
}
