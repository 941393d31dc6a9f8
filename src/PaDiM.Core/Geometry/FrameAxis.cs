namespace PaDiM.Core.Geometry;

/// <summary>
/// How one axis of an original lies in the prepared image: a part of the original, its source, is resized to a run of
/// whole pixels of the image at the image size, its target; the prepared image is the middle of that axis. Coordinates
/// are those of edges: pixel <c>i</c> reaches from <c>i</c> to <c>i + 1</c>.
/// </summary>
/// <param name="SourceStart">Where the source begins, in pixels of the original.</param>
/// <param name="SourceLength">Length of the source, in pixels of the original; above 0.</param>
/// <param name="TargetStart">The first pixel of the target, at the image size.</param>
/// <param name="TargetLength">Pixels of the target, at least 1.</param>
/// <param name="ImageLength">Pixels at the image size.</param>
/// <param name="PreparedLength">Pixels of the prepared image.</param>
public readonly record struct FrameAxis(
    double SourceStart,
    double SourceLength,
    int TargetStart,
    int TargetLength,
    int ImageLength,
    int PreparedLength
)
{
    /// <summary>
    /// Rounding of coordinates, in pixels: where the edges of two pixels meet, neither lies below the other.
    /// </summary>
    private const double Rounding = 1e-9;

    /// <summary>Gets the pixels that the centre crop cuts off before the prepared image.</summary>
    public int Margin => (ImageLength - PreparedLength) / 2;

    /// <summary>Gets the first pixel of the prepared image that shows the original.</summary>
    public int ContentStart => Math.Max(0, TargetStart - Margin);

    /// <summary>Gets the number of pixels of the prepared image that show the original.</summary>
    public int ContentLength => Math.Min(PreparedLength, TargetStart + TargetLength - Margin) - ContentStart;

    /// <summary>Gets the pixels of the target before those that the prepared image shows.</summary>
    public int TargetOffset => ContentStart + Margin - TargetStart;

    /// <summary>Gets the pixels of the original per pixel of the prepared image.</summary>
    public double Scale => SourceLength / TargetLength;

    /// <summary>Maps a coordinate of the original to the image at the image size.</summary>
    public double ToImageSize(double original) => TargetStart + (original - SourceStart) * TargetLength / SourceLength;

    /// <summary>Maps a coordinate of the prepared image to the original.</summary>
    public double ToOriginal(double prepared) => SourceStart + (prepared + Margin - TargetStart) * Scale;

    /// <summary>
    /// Finds the pixels of the prepared image below a pixel of the original: the one below its centre, or, where the
    /// original was enlarged, all that it touches. None where the original was cut off.
    /// </summary>
    /// <returns>The first one, and the one after the last.</returns>
    public (int First, int End) FindPrepared(int original)
    {
        int first,
            end;
        if (SourceLength >= TargetLength)
        {
            first = (int)Math.Floor((original + 0.5 - SourceStart) * TargetLength / SourceLength + Rounding);
            end = first + 1;
        }
        else
        {
            first = (int)Math.Floor((original - SourceStart) * TargetLength / SourceLength + Rounding);
            end = (int)Math.Ceiling((original + 1 - SourceStart) * TargetLength / SourceLength - Rounding);
        }
        var shift = TargetStart - Margin;
        var contentEnd = ContentStart + ContentLength;
        first = Math.Clamp(first + shift, ContentStart, contentEnd);
        end = Math.Clamp(end + shift, first, contentEnd);
        return (first, end);
    }
}
