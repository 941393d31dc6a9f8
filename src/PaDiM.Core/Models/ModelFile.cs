using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// A model as one safetensors file: <c>mean</c> F32 (h, w, d), <c>whitening</c> F32 (h, w, d (d + 1) / 2), <c>calibration</c> F64 (n), the
/// reduction as <c>channels</c> I32 (d) or <c>projection</c> F32 (C, d), and a JSON card under the metadata key <c>padim</c>.
/// </summary>
public static class ModelFile
{
    internal const string Format = "padim-model/1";

    /// <summary>Writes a model; the same model gives the same bytes.</summary>
    public static void Write(Stream stream, PadimModel model)
    {
        var (grid, d) = (model.Distribution.Grid, model.Distribution.Dimensions);
        var card = new ModelCard(model.Settings, model.Backbone, [.. model.Reduction.TapChannels], model.TrainingImages);
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["padim"] = JsonSerializer.Serialize(card, ModelJson.Default.ModelCard),
        };
        Safetensors.Write(stream, metadata,
            new SafetensorsTensor("mean", [grid.Height, grid.Width, d], model.Distribution.Mean),
            new SafetensorsTensor("whitening", [grid.Height, grid.Width, PackedTriangle.Length(d)], model.Distribution.Whitening),
            new SafetensorsTensor("calibration", [model.Calibration.Scores.Count], model.Calibration.Scores.ToArray()),
            model.Reduction switch
            {
                ChannelSelection selection => new SafetensorsTensor("channels", [d], selection.Channels.ToArray()),
                ChannelProjection projection => new SafetensorsTensor("projection", [model.Reduction.InputChannels, d], projection.Weights.ToArray()),
                _ => throw new ArgumentException("A reduction of an unknown kind.", nameof(model)),
            });
    }

    /// <summary>Reads a model and verifies it.</summary>
    /// <exception cref="InvalidDataException">Not such a file, or a damaged one.</exception>
    public static PadimModel Read(Stream stream)
    {
        var file = SafetensorsReader.Open(stream);
        if (file.Metadata.GetValueOrDefault("format") != Format || !file.Metadata.TryGetValue("padim", out var json))
            throw new InvalidDataException("The file is not a PaDiM model of a known version.");
        try
        {
            var card = JsonSerializer.Deserialize(json, ModelJson.Default.ModelCard) ?? throw new JsonException();
            if (card.Settings.FindFault() is { } fault) throw new InvalidDataException($"The file's settings make no sense: {fault}");
            var shape = file.ShapeOf("mean");
            var (grid, d) = shape.Count == 3 ? (new Grid((int)shape[0], (int)shape[1]), (int)shape[2]) : throw new InvalidDataException("The mean has no shape of (h, w, d).");
            ChannelReduction reduction = card.Settings.Reduction == ReductionMethod.SemiOrthogonal
                ? new ChannelProjection(card.TapChannels, file.Floats("projection", card.TapChannels.Sum(), d), d, card.Settings.Seed)
                : new ChannelSelection(card.Settings.Reduction, card.TapChannels, file.Integers("channels", d), card.Settings.Seed);
            return new PadimModel(
                card.Settings,
                card.Backbone,
                reduction,
                new PatchDistribution(grid, d, Finite(file.Floats("mean", grid.Height, grid.Width, d)), Finite(file.Floats("whitening", grid.Height, grid.Width, PackedTriangle.Length(d)))),
                new ThresholdCalibration(file.Doubles("calibration", card.TrainingImages.Count)),
                card.TrainingImages);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException("The file's description of its model cannot be read.", e);
        }
    }

    private static float[] Finite(float[] values) =>
        float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(values)) ? values : throw new InvalidDataException("The file holds values that are not finite.");
}

/// <summary>The JSON card of a model file.</summary>
internal sealed record ModelCard(FitSettings Settings, BackboneIdentity Backbone, int[] TapChannels, IReadOnlyList<string> TrainingImages);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelCard))]
internal sealed partial class ModelJson : JsonSerializerContext;
