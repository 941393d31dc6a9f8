using System.Globalization;

namespace PaDiM.Service.Data;

/// <summary>Which inspections a category keeps.</summary>
internal enum KeptInspections
{
    All,

    /// <summary>Those that are not normal.</summary>
    Review,

    /// <summary>Those that are anomalous.</summary>
    Anomalous,
    None,
}

/// <summary>What a category keeps of its inspections.</summary>
/// <param name="Keep">Which rows.</param>
/// <param name="Images">Which of their images.</param>
/// <param name="Days">For how long.</param>
/// <param name="Bytes">The bytes of images, of which the oldest make room; null for what the service allows.</param>
/// <param name="Durable">Whether an answer waits until its row is on the disk.</param>
internal sealed record InspectionSettings(KeptInspections Keep, KeptImages Images, int Days, long? Bytes, bool Durable)
{
    public const int DefaultDays = 90,
        MaxDays = 3660;

    public static InspectionSettings Default { get; } =
        new(KeptInspections.All, KeptImages.Default, DefaultDays, null, false);

    /// <summary>Gets whether a row is kept.</summary>
    public bool Keeps(Decision decision) => Includes(Keep, decision);

    /// <summary>Gets whether something that is kept for some decisions is kept for this one.</summary>
    public static bool Includes(KeptInspections kept, Decision decision) =>
        kept switch
        {
            KeptInspections.All => true,
            KeptInspections.Review => decision != Decision.Normal,
            KeptInspections.Anomalous => decision == Decision.Anomalous,
            _ => false,
        };
}

/// <summary>The images that a category keeps: by decision, or a share of all.</summary>
/// <param name="Kept">By decision; without meaning for a share.</param>
/// <param name="Share">The share, above 0 and at most 1; null to choose by decision.</param>
internal readonly record struct KeptImages(KeptInspections Kept, double? Share)
{
    private const string Sample = "sample:";

    /// <summary>Gets the images of what was not normal.</summary>
    public static KeptImages Default { get; } = new(KeptInspections.Review, null);

    /// <summary>Gets what a text says; null for one that says nothing.</summary>
    public static KeptImages? TryParse(string text)
    {
        if (text.StartsWith(Sample, StringComparison.Ordinal))
            return
                double.TryParse(
                    text.AsSpan(Sample.Length),
                    NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                    CultureInfo.InvariantCulture,
                    out var share
                ) && share is > 0 and <= 1
                ? new KeptImages(KeptInspections.None, share)
                : null;
        return text switch
        {
            "all" => new KeptImages(KeptInspections.All, null),
            "review" => new KeptImages(KeptInspections.Review, null),
            "anomalous" => new KeptImages(KeptInspections.Anomalous, null),
            "none" => new KeptImages(KeptInspections.None, null),
            _ => null,
        };
    }

    /// <summary>
    /// Gets whether an image is kept. A share is chosen by the hash of the image, so that the choice does not depend on
    /// the replica, or on how often the image is sent.
    /// </summary>
    public bool Includes(Decision decision, string sha256) =>
        Share is { } share
            ? uint.Parse(sha256.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                < share * 4294967296.0
            : InspectionSettings.Includes(Kept, decision);

    public override string ToString() =>
        Share is { } share ? FormattableString.Invariant($"{Sample}{share}") : Kept.ToString().ToLowerInvariant();
}
