namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Joins images into groups (union-find). With many copies an image and the first one need not be neighbours: they meet
/// through others.
/// </summary>
internal sealed class ImageGroups(int count)
{
    private readonly int[] _earlier = [.. Enumerable.Range(0, count)];

    /// <summary>Gets the first image of an image's group.</summary>
    public int GetFirst(int image)
    {
        while (_earlier[image] != image)
            image = _earlier[image] = _earlier[_earlier[image]];
        return image;
    }

    /// <summary>Joins the groups of two images.</summary>
    public void Join(int one, int other)
    {
        one = GetFirst(one);
        other = GetFirst(other);
        _earlier[Math.Max(one, other)] = Math.Min(one, other);
    }
}
