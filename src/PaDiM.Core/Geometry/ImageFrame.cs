namespace PaDiM.Core.Geometry;

/// <summary>
/// How an original lies in the prepared image: which part of it is resized to which rectangle of the image at the image
/// size, and what the centre crop leaves of that. It leads both ways, so preparing an image, drawing its map and
/// measuring its regions cannot disagree. Immutable, thread-safe.
/// </summary>
public sealed record ImageFrame
{
    private ImageFrame(Grid original, Grid imageSize, Grid prepared, FrameAxis rows, FrameAxis columns)
    {
        Original = original;
        ImageSize = imageSize;
        Prepared = prepared;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>Gets the size of the upright original.</summary>
    public Grid Original { get; }

    /// <summary>Gets the size to which images are resized, before any crop.</summary>
    public Grid ImageSize { get; }

    /// <summary>Gets the size of the prepared image.</summary>
    public Grid Prepared { get; }

    /// <summary>Gets the axis down.</summary>
    public FrameAxis Rows { get; }

    /// <summary>Gets the axis across.</summary>
    public FrameAxis Columns { get; }

    /// <summary>Gets the size of the resized original, without a border.</summary>
    public Grid Target => new(Rows.TargetLength, Columns.TargetLength);

    /// <summary>Gets the size of what the prepared image shows of the original.</summary>
    public Grid Content => new(Rows.ContentLength, Columns.ContentLength);

    /// <summary>Gets whether the prepared image has a border that does not show the original.</summary>
    public bool HasBorder => Content != Prepared;

    /// <summary>Creates the frame of an image.</summary>
    /// <param name="original">Size of the upright original.</param>
    /// <param name="imageSize">The size to which images are resized.</param>
    /// <param name="prepared">The size of the centre crop; <paramref name="imageSize"/> without one.</param>
    /// <param name="aspect">What becomes of an original of another shape.</param>
    public static ImageFrame Create(Grid original, Grid imageSize, Grid prepared, AspectMode aspect)
    {
        // Both products are exact, so originals of the same shape have no border and lose nothing.
        var wider = Math.Sign((long)original.Width * imageSize.Height - (long)original.Height * imageSize.Width);
        return new ImageFrame(
            original,
            imageSize,
            prepared,
            CreateAxis(
                (original.Height, imageSize.Height, prepared.Height),
                (original.Width, imageSize.Width),
                aspect,
                longer: -wider
            ),
            CreateAxis(
                (original.Width, imageSize.Width, prepared.Width),
                (original.Height, imageSize.Height),
                aspect,
                longer: wider
            )
        );
    }

    /// <summary>Gets whether a pixel of the prepared image shows the original.</summary>
    public bool IsContent(int row, int column) => Contains(Rows, row) && Contains(Columns, column);

    private static bool Contains(FrameAxis axis, int at) =>
        at >= axis.ContentStart && at < axis.ContentStart + axis.ContentLength;

    /// <param name="own">Pixels of this axis.</param>
    /// <param name="other">Pixels of the other axis.</param>
    /// <param name="aspect">What becomes of an original of another shape.</param>
    /// <param name="longer">1 where the original is too long along this axis, -1 where it is too short.</param>
    private static FrameAxis CreateAxis(
        (int Original, int Image, int Prepared) own,
        (int Original, int Image) other,
        AspectMode aspect,
        int longer
    )
    {
        var axis = new FrameAxis(0, own.Original, 0, own.Image, own.Image, own.Prepared);
        if (aspect == AspectMode.Letterbox && longer < 0)
        {
            var target = Math.Clamp((int)Math.Round((double)own.Original * other.Image / other.Original), 1, own.Image);
            return axis with { TargetStart = (own.Image - target) / 2, TargetLength = target };
        }
        if (aspect == AspectMode.Crop && longer > 0)
        {
            var source = (double)own.Image * other.Original / other.Image;
            return axis with { SourceStart = (own.Original - source) / 2, SourceLength = source };
        }
        return axis;
    }
}
