namespace PaDiM.Service.Images;

/// <summary>The names by which masks belong to images: NAME.png or NAME_mask.png for the image NAME.</summary>
internal static class MaskName
{
    public const string Suffix = "_mask";

    /// <summary>Gets the name of the image that a mask belongs to.</summary>
    /// <param name="stem">The mask's file name without its extension.</param>
    public static string GetOwner(string stem) =>
        stem.EndsWith(Suffix, StringComparison.Ordinal) ? stem[..^Suffix.Length] : stem;
}
