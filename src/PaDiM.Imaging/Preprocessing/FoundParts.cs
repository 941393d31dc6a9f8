using PaDiM.Core.Geometry;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Where the part was found in one decoded image, so that regions that look for the same part find it once. Not
/// thread-safe.
/// </summary>
public sealed class FoundParts
{
    private readonly List<(float[] Template, RigidTransform Found)> _all = [];

    /// <summary>Gets where the part of a template is; finds it if no equal template was looked for.</summary>
    internal RigidTransform GetOrFind(float[] template, Func<RigidTransform> find)
    {
        foreach (var (other, known) in _all)
            if (other.AsSpan().SequenceEqual(template))
                return known;
        var found = find();
        _all.Add((template, found));
        return found;
    }
}
