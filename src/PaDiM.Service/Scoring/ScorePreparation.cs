using System.Buffers;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Turns a file into the inputs of all models that score it. Models that decode alike share one decoding.
/// </summary>
internal sealed class ScorePreparation(ImageDecoder decoder)
{
    /// <summary>Gets the memory that decoding takes, from the header.</summary>
    public Outcome<long> ProbeDecodeBytes(PartModels models, RequestFile file)
    {
        var total = 0L;
        foreach (var decoding in models.Models.Select(model => model.Scorer.Embedder.Decoding).Distinct())
        {
            if (!file.ProbeDecodeBytes(decoder, decoding).Succeeded(out var bytes, out var problem))
                return problem;
            total += bytes;
        }
        return total;
    }

    /// <summary>
    /// Decodes and prepares an image. Keeps its pixels only if a heatmap is drawn over them, and they have the size of
    /// the file.
    /// </summary>
    public Outcome<PreparedImage> Prepare(PartModels models, RequestFile file, bool keepPixels)
    {
        var inputs = new PreparedInput[models.Models.Count];
        DecodeResult.Decoded? last = null;
        RgbImage? pixels = null;
        foreach (var alike in models.Models.Index().GroupBy(model => model.Item.Scorer.Embedder.Decoding))
        {
            if (!file.ToImage(decoder, alike.Key).Succeeded(out var decoded, out var problem))
            {
                foreach (var input in inputs.OfType<PreparedInput>())
                    input.Dispose();
                return problem;
            }
            foreach (var (i, model) in alike)
                inputs[i] = Prepare(model, decoded);
            if (keepPixels && decoded.IsFullSize)
                pixels = decoded.Image;
            last = decoded;
        }
        return new PreparedImage(inputs, last!.Size, pixels);
    }

    private static PreparedInput Prepare(CategoryModel model, DecodeResult.Decoded decoded)
    {
        var scorer = model.Scorer;
        var frame = scorer.Preprocessing.CreateFrame(decoded.Size);
        if (scorer.Embedder.Tiles is not null)
        {
            var tiles = scorer.OpenTiles(decoded.Image, frame, measures: true);
            return new PreparedInput(model, frame, [], tiles.Placement, []) { Tiles = tiles, Decoded = decoded };
        }
        var length = scorer.Embedder.PreparedLength;
        var values = ArrayPool<float>.Shared.Rent(length);
        var placement = scorer.Preprocessing.Prepare(decoded.Image, frame, values.AsSpan(0, length), out var traits);
        return new PreparedInput(model, frame, values, placement, InputChecker.Check(scorer.Model, decoded, traits));
    }
}
