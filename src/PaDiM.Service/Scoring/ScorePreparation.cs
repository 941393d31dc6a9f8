using System.Buffers;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Turns a file into the inputs of all models that score it. Models that decode it to one size share the decoding.
/// </summary>
internal sealed class ScorePreparation(ImageDecoder decoder)
{
    /// <summary>Plans how to decode a file, from its header.</summary>
    public Outcome<DecodePlan> Plan(PartModels models, RequestFile file)
    {
        var passes = new Dictionary<(int? Bits, long Bytes), DecodePass>();
        foreach (var (i, model) in models.Models.Index())
        {
            var options = model.Scorer.Embedder.Decoding;
            if (!file.ProbeDecodeBytes(decoder, options).Succeeded(out var bytes, out var problem))
                return problem;
            // Of one file, only the size to which it is scaled down makes a difference to the memory.
            if (!passes.TryGetValue((options.SignificantBits, bytes), out var pass))
                passes[(options.SignificantBits, bytes)] = pass = new DecodePass(options, []);
            pass.Models.Add(i);
        }
        return new DecodePlan([.. passes.Values], passes.Keys.Sum(pass => pass.Bytes));
    }

    /// <summary>
    /// Decodes and prepares an image. Keeps its pixels only if a heatmap is drawn over them, and they have the size of
    /// the file.
    /// </summary>
    public Outcome<PreparedImage> Prepare(PartModels models, RequestFile file, DecodePlan plan, bool keepPixels)
    {
        var inputs = new PreparedInput[models.Models.Count];
        DecodeResult.Decoded? last = null;
        RgbImage? pixels = null;
        foreach (var pass in plan.Passes)
        {
            if (
                !file.ToImage(decoder, pass.Options).Succeeded(out var decoded, out var problem)
                || !Check(pass.Models.Select(i => models.Models[i]), decoded).Succeeded(out _, out problem)
            )
            {
                foreach (var input in inputs.OfType<PreparedInput>())
                    input.Dispose();
                return problem;
            }
            var parts = new FoundParts();
            foreach (var i in pass.Models)
                inputs[i] = Prepare(models.Models[i], decoded, parts);
            if (keepPixels && decoded.IsFullSize)
                pixels = decoded.Image;
            last = decoded;
        }
        return new PreparedImage(inputs, last!.Size, pixels);
    }

    /// <summary>Refuses an image of which a model's mask leaves nothing.</summary>
    private static Outcome<DecodeResult.Decoded> Check(
        IEnumerable<CategoryModel> models,
        DecodeResult.Decoded decoded
    ) =>
        models.Select(model => model.Scorer.ValidateSize(decoded.Size)).FirstOrDefault(fault => fault is not null)
            is { } fault
            ? Problems.IgnoreMaskUnusable(fault)
            : decoded;

    private static PreparedInput Prepare(CategoryModel model, DecodeResult.Decoded decoded, FoundParts parts)
    {
        var scorer = model.Scorer;
        if (scorer.Embedder.Tiles is not null)
        {
            var tiles = scorer.OpenTiles(decoded, measures: true, out var tiled, parts);
            return new PreparedInput(
                model,
                [],
                tiles.Placement,
                scorer.Preprocessing.CreateMapper(decoded.Size, tiles.Placement),
                []
            )
            {
                Tiles = tiles,
                Decoded = tiled,
            };
        }
        var length = scorer.Embedder.PreparedLength;
        var values = ArrayPool<float>.Shared.Rent(length);
        var placement = scorer.Prepare(decoded, values.AsSpan(0, length), out var traits, out var seen, parts);
        return new PreparedInput(
            model,
            values,
            placement,
            scorer.Preprocessing.CreateMapper(decoded.Size, placement),
            InputChecker.Check(scorer.Model, seen, traits)
        );
    }
}

/// <summary>Represents how a file is decoded: once for all models that need it at one size.</summary>
/// <param name="Passes">The decodings.</param>
/// <param name="Bytes">The memory that they take.</param>
internal sealed record DecodePlan(IReadOnlyList<DecodePass> Passes, long Bytes);

/// <summary>Represents one decoding of a file.</summary>
/// <param name="Options">How the file becomes pixels.</param>
/// <param name="Models">The models that score them, by index.</param>
internal sealed record DecodePass(DecodeOptions Options, List<int> Models);
