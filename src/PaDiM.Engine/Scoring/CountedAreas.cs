using PaDiM.Core.Geometry;
using PaDiM.Core.Models;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Finds what of a prepared image counts: all, without what the model ignores and without the border of a letterbox.
/// Images of one shape share the result. Thread-safe.
/// </summary>
/// <param name="settings">The settings of the model.</param>
/// <param name="ignored">The pixels that the model ignores; null for none.</param>
/// <param name="patches">The grid of patch positions.</param>
internal sealed class CountedAreas(FitSettings settings, bool[]? ignored, Grid patches)
{
    private readonly CountedArea _whole = new(
        settings,
        settings.GetPreparedSize(),
        settings.CreateRegion(ignored, patches)
    );

    /// <summary>Gets the grid of patch positions.</summary>
    public Grid Patches { get; } = patches;

    /// <summary>The last one with a border: images of a production line have one shape.</summary>
    private CountedArea? _last;

    /// <summary>Gets what counts of an image.</summary>
    /// <exception cref="ArgumentException">Nothing of it counts.</exception>
    public CountedArea Get(ImageFrame frame)
    {
        if (!frame.HasBorder)
            return _whole;
        // The content is centred, so its size says where it lies.
        if (_last is { } last && last.Content == frame.Content)
            return last;
        return _last = new CountedArea(settings, frame.Content, settings.CreateRegion(ignored, frame, Patches));
    }
}
