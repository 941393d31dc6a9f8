namespace PaDiM.Core.Geometry;

/// <summary>Specifies what becomes of an image whose shape differs from that of the prepared image.</summary>
public enum AspectMode
{
    /// <summary>Both sides are resized on their own; the aspect ratio is not kept.</summary>
    Stretch,

    /// <summary>All of the image is resized to fit, and centred; what is left over is border that never counts.</summary>
    Letterbox,

    /// <summary>The centre of the image is resized to cover everything; what sticks out is cut off.</summary>
    Crop,
}
