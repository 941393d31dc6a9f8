namespace PaDiM.Imaging.Decoding;

/// <summary>The least size of an image that is scaled down while it is decoded.</summary>
/// <param name="Width">Pixels across the upright image.</param>
/// <param name="Height">Pixels down the upright image.</param>
/// <param name="IsOneEnough">Whether it is enough that one side is as long.</param>
public sealed record MinimumSize(int Width, int Height, bool IsOneEnough = false)
{
    /// <summary>Creates the least size of which both sides are equal.</summary>
    public static MinimumSize OfBoth(int side) => new(side, side);

    /// <summary>Gets the largest whole number that the sides of an upright image may be divided by.</summary>
    internal int GetLargestDivisor(int width, int height)
    {
        var (across, down) = (width / Width, height / Height);
        return IsOneEnough ? Math.Max(across, down) : Math.Min(across, down);
    }
}
