using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Cli.Evaluation;

/// <summary>Serialises reports and state.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    Converters = [typeof(UndefinedAsNull)]
)]
[JsonSerializable(typeof(EvaluationRow))]
[JsonSerializable(typeof(IReadOnlyList<EvaluationRow>))]
[JsonSerializable(typeof(SeedResult))]
[JsonSerializable(typeof(EvaluationPlan))]
internal sealed partial class EvaluationJson : JsonSerializerContext;

/// <summary>Writes an undefined figure, such as the AUROC of images of one class, as null: JSON has no NaN.</summary>
internal sealed class UndefinedAsNull : JsonConverter<double>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}
