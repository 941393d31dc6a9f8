namespace PaDiM.Client;

/// <summary>Specifies the form of the picture of a score.</summary>
public enum PictureFormat
{
    /// <summary>PNG, in the size of the original.</summary>
    Png,

    /// <summary>JPEG in quality 90: a fraction of the size. No masks.</summary>
    Jpeg,

    /// <summary>WebP in quality 85. No masks.</summary>
    WebP,

    /// <summary>The anomaly map as float32 in NumPy's format, at the size of the prepared image.</summary>
    Npy,
}
