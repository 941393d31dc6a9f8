using System.Text.Json;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>What a caller says about an image. Omitted members stay as they are; null resets to the default.</summary>
internal sealed record ImageSettings
{
    /// <summary>What the image shows.</summary>
    public ImageLabel Label { get; init; }

    /// <summary>Kind of defect, at most 64 characters; anomalous images only.</summary>
    public string? Defect { get; init; }

    /// <summary>Whether fits leave the image out, so that evaluations score it as an unknown good part; normal images
    /// only.</summary>
    public bool HeldOut { get; init; }
}

/// <summary>A change of some of an image's settings.</summary>
/// <param name="Label">The new label; null to keep it.</param>
/// <param name="Defect">The new kind of defect.</param>
/// <param name="SetsDefect">Whether the kind of defect changes, which null removes.</param>
/// <param name="HeldOut">Whether fits leave it out; null to keep this.</param>
internal sealed record ImageChange(ImageLabel? Label, string? Defect, bool SetsDefect, bool? HeldOut)
{
    public const int MaxDefectLength = 64;

    /// <summary>Parses a merge patch of <see cref="ImageSettings"/>.</summary>
    /// <exception cref="BadHttpRequestException">It has an unknown member or one of the wrong type.</exception>
    public static Outcome<ImageChange> Parse(JsonElement patch, JsonSerializerOptions json)
    {
        var values = MergePatch.Apply(new ImageSettings(), patch, json);
        var change = new ImageChange(
            Names(nameof(ImageSettings.Label)) ? values.Label : null,
            values.Defect,
            Names(nameof(ImageSettings.Defect)),
            Names(nameof(ImageSettings.HeldOut)) ? values.HeldOut : null
        );
        return change is (null, _, false, null)
                ? Problems.InvalidRequest("Name at least one of label, defect and heldOut.")
            : CheckDefect(change.Defect, change.Label ?? ImageLabel.Anomalous) is { } misplaced ? misplaced
            : CheckHeldOut(change.HeldOut is true, change.Label ?? ImageLabel.Normal) is { } contradiction
                ? contradiction
            : change;

        bool Names(string member) => MergePatch.Names(patch, member);
    }

    /// <summary>Gets the problem with a kind of defect, or null.</summary>
    public static Problem? CheckDefect(string? defect, ImageLabel label) =>
        defect is { Length: > MaxDefectLength }
            ? Problems.InvalidRequest($"defect must have at most {MaxDefectLength} characters.")
        : defect is not null && label == ImageLabel.Normal ? Problems.InvalidRequest("defect requires label=anomalous.")
        : null;

    /// <summary>Gets the problem with holding out an image, or null.</summary>
    public static Problem? CheckHeldOut(bool heldOut, ImageLabel label) =>
        heldOut && label == ImageLabel.Anomalous
            ? Problems.InvalidRequest("heldOut requires label=normal; fits leave anomalous images out anyway.")
            : null;
}
