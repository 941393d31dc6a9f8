namespace PaDiM.Imaging.Heatmaps;

/// <summary>Specifies the file format of a picture.</summary>
public enum PictureFormat
{
    /// <summary>Every pixel as it was drawn.</summary>
    Png,

    /// <summary>Lossy, in quality 90.</summary>
    Jpeg,

    /// <summary>Lossy, in quality 85.</summary>
    Webp,
}
