using PaDiM.Service.Images;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Warns about text fields of a form that were not read. They say nothing about the image, so no category refuses an
/// image for them, and no metric counts them.
/// </summary>
internal static class FormWarnings
{
    public const string FieldIgnored = "field_ignored";

    /// <summary>Adds the warning to a result, if there is cause for one.</summary>
    public static ScoreResponse AddTo(ScoreResponse result, HttpContext context) =>
        FormFields.GetIgnored(context) is { Count: > 0 } fields
            ? result with
            {
                Warnings =
                [
                    .. result.Warnings,
                    new ScoreWarning(
                        FieldIgnored,
                        $"The form has text fields that are not read here: {string.Join(", ", fields)}. Leave them "
                            + "out, or pass parameters in the query."
                    ),
                ],
            }
            : result;
}
