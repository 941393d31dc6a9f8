using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Measures what a graph shows only when it runs, on a batch of two black images: the strides and channels of its taps.
/// The shapes in its file may be missing, or may fix the batch to one image.
/// </summary>
/// <param name="Input">Name of the graph's input.</param>
/// <param name="FixedSize">The only size that the graph accepts, in pixels; null if it accepts any.</param>
/// <param name="Taps">The taps with their strides and channels.</param>
/// <param name="Patches">The layer that cuts images into patches; null if the network is not a vision
/// transformer.</param>
/// <param name="Prefixes">The taps that have tokens in place of a map, and how many tokens of each belong to no
/// patch.</param>
internal sealed record TapProbe(
    string Input,
    int? FixedSize,
    IReadOnlyList<BackboneTap> Taps,
    PatchLayer? Patches,
    IReadOnlyDictionary<string, int> Prefixes
)
{
    /// <summary>The largest side of images that a network can be made for, in pixels.</summary>
    public const int LargestSize = FitSettings.MaxSize;

    private const int DefaultSize = 256;

    /// <summary>Runs a graph whose outputs are its taps.</summary>
    /// <param name="tapped">The graph.</param>
    /// <param name="taps">Names of the taps.</param>
    /// <param name="prefix">Number of tokens that belong to no patch; null to find it from the shape.</param>
    /// <param name="runtime">Runs the graph.</param>
    /// <exception cref="InvalidDataException">The graph cannot serve as a backbone; the message, which completes a
    /// sentence, says why.</exception>
    public static TapProbe Run(GraphEditor tapped, IReadOnlyList<string> taps, int? prefix, BackboneRuntime runtime)
    {
        using var session = runtime.CreateSession(tapped.ToArray());
        var fixedSize = GetFixedSize(session);
        var patches = PatchLayer.Find(tapped);
        var side = patches?.Size ?? 1;
        var size = fixedSize ?? (DefaultSize + side / 2) / side * side;
        // What goes wrong is part of the exception: ONNX Runtime must not print it too.
        using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var black = OrtValue.CreateTensorValueFromMemory(new float[2 * 3 * size * size], [2, 3, size, size]);
        using var maps = RunOnce(session, options, black, size);
        MeasuredTap[] measured = [.. maps.Select((map, i) => Measure(map, taps[i], size, patches, prefix))];
        return new TapProbe(
            session.InputNames[0],
            fixedSize,
            [.. measured.Select(tap => tap.Tap)],
            patches,
            measured
                .Where(tap => tap.Prefix is not null)
                .ToDictionary(tap => tap.Tap.Tensor, tap => tap.Prefix!.Value, StringComparer.Ordinal)
        );
    }

    /// <summary>Creates the graph with maps in place of the tokens of the taps.</summary>
    public GraphEditor AppendMaps(GraphEditor tapped) =>
        Patches is null ? tapped : TokenMaps.Append(tapped, Patches, Prefixes);

    private static IDisposableReadOnlyCollection<OrtValue> RunOnce(
        InferenceSession session,
        RunOptions options,
        OrtValue black,
        int size
    )
    {
        try
        {
            return session.Run(options, [session.InputNames[0]], [black], session.OutputNames);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException(
                $"it does not run on two images of {size} x {size} pixels. If its layers are made for one batch size or"
                    + $" one image size, padim backbones add changes them where it can. ONNX Runtime says: {e.Message.Trim()}",
                e
            );
        }
    }

    private static MeasuredTap Measure(OrtValue map, string tensor, int size, PatchLayer? patches, int? prefix)
    {
        var shape = map.GetTensorTypeAndShape().Shape;
        if (shape.Length != 4 && !(shape.Length == 3 && patches is not null))
            throw new InvalidDataException(
                $"a tap has {shape.Length} axes; feature maps have four, (n, channels, h, w), and the tokens of a vision"
                    + " transformer three, (n, tokens, channels)"
            );
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(map.GetTensorDataAsSpan<float>())))
            throw new InvalidDataException("its output for a black image is not finite");
        if (shape.Length == 4)
            return new(new BackboneTap(tensor, (int)Math.Round((double)size / shape[2]), (int)shape[1]), Prefix: null);
        var ofPatches = size / patches!.Size * (size / patches.Size);
        var dropped = (int)shape[1] - ofPatches;
        if (dropped < 0 || dropped != (prefix ?? dropped))
            throw new InvalidDataException(
                $"the tap '{tensor}' has {shape[1]} tokens for an image of {size} x {size} pixels, of which {ofPatches}"
                    + $" belong to patches of {patches.Size} x {patches.Size}; the manifest's prefixTokens, or 0, must be"
                    + " the rest"
            );
        return new(new BackboneTap(tensor, patches.Size, (int)shape[2]), dropped);
    }

    private static int? GetFixedSize(InferenceSession session)
    {
        var shape = session.InputMetadata[session.InputNames[0]].Dimensions;
        if (shape.Length != 4)
            throw new InvalidDataException($"its input has {shape.Length} axes; a backbone takes (n, 3, h, w)");
        if (shape[1] is not (3 or -1))
            throw new InvalidDataException(
                $"its input has the shape ({string.Join(", ", shape)}); a backbone takes batches of three-channel"
                    + " images, (n, 3, h, w)"
            );
        if (shape[2] > 0 && shape[2] != shape[3])
            throw new InvalidDataException("its input has a fixed size that is not square");
        if (shape[2] > LargestSize)
            throw new InvalidDataException(
                $"its input has a fixed size of {shape[2]} pixels; {LargestSize} are the most"
            );
        return shape[2] > 0 ? shape[2] : null;
    }

    /// <summary>Represents a tap, and the number of its tokens that belong to no patch; null for a map.</summary>
    private sealed record MeasuredTap(BackboneTap Tap, int? Prefix);
}
