using System.Numerics.Tensors;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Onnx.Graphs;

namespace PaDiM.Onnx.Backbones;

/// <summary>A frozen network, open in ONNX Runtime, cut off behind its last tap. Thread-safe; one session serves all categories.</summary>
public sealed class Backbone : IDisposable
{
    private const int ProbeSize = 256;
    private readonly InferenceSession session;
    private readonly string input;
    private readonly RunOptions options = new();

    private Backbone(BackboneFile file, BackboneManifest manifest, BackboneRuntime runtime, InferenceSession session, BackboneIdentity identity, int? fixedSize)
    {
        (File, Manifest, Runtime, this.session, Identity, FixedSize) = (file, manifest, runtime, session, identity, fixedSize);
        input = session.InputNames[0];
        Taps = Probe();
    }

    /// <summary>The file it was loaded from.</summary>
    public BackboneFile File { get; }

    /// <summary>What its manifest says.</summary>
    public BackboneManifest Manifest { get; }

    /// <summary>Device and threads.</summary>
    public BackboneRuntime Runtime { get; }

    /// <summary>Name, hash and taps, as models record them.</summary>
    public BackboneIdentity Identity { get; }

    /// <summary>Taps with their strides and channels as measured, finest first.</summary>
    public IReadOnlyList<BackboneTap> Taps { get; }

    /// <summary>The only prepared size that the graph accepts, in pixels; null when it accepts any.</summary>
    public int? FixedSize { get; }

    /// <summary>Channels of each tap.</summary>
    public IReadOnlyList<int> TapChannels => [.. Taps.Select(tap => tap.Channels)];

    /// <summary>Opens a backbone: checks the hash, turns the taps into outputs, drops dead layers, and runs it once.</summary>
    /// <exception cref="InvalidDataException">The file, its manifest or its graph is unusable, with a sentence that says why.</exception>
    public static Backbone Load(BackboneFile file, BackboneRuntime runtime)
    {
        try
        {
            var bytes = System.IO.File.ReadAllBytes(file.Path);
            var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
            var manifest = file.ReadManifest();
            if (manifest.Sha256 is { } expected && !expected.Equals(hash, StringComparison.OrdinalIgnoreCase))
                throw new InvalidDataException("its SHA-256 is not the one in its manifest; the file is damaged or another one");
            var graph = GraphEditor.Open(bytes);
            var taps = manifest.Taps?.Select(tap => tap.Tensor).ToArray() ?? TapFinder.Find(graph);
            var tapped = graph.WithOutputs(taps);
            if (tapped.Inputs.Count != 1) throw new InvalidDataException($"it takes {tapped.Inputs.Count} inputs; a backbone takes one, of shape (n, 3, h, w)");
            var session = Create(tapped.ToArray(), runtime);
            try
            {
                return new Backbone(file, manifest, runtime, session, new BackboneIdentity(file.Name, hash, [.. taps], manifest.Normalisation.ToString()), FixedSizeOf(session));
            }
            catch
            {
                session.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is InvalidDataException or OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The backbone '{file.Name}' cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Runs the network on a batch.</summary>
    /// <param name="prepared">Shape <c>(count, 3, size.Height, size.Width)</c>, normalised.</param>
    /// <param name="count">Images in the batch, at least 1.</param>
    /// <param name="size">Prepared size in pixels.</param>
    /// <returns>Feature maps of each image, valid until disposed.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not run on this input.</exception>
    public BackboneFeatures Extract(float[] prepared, int count, Grid size)
    {
        using var batch = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, prepared.AsMemory(0, count * 3 * size.Positions), [count, 3, size.Height, size.Width]);
        return new BackboneFeatures(session.Run(options, [input], [batch], session.OutputNames));
    }

    /// <summary>A sentence about settings that this backbone, or this machine's memory, cannot serve; null when it can.</summary>
    public string? FindMisfit(FitSettings settings)
    {
        var (channels, size) = (TapChannels.Sum(), settings.PreparedSize().Width);
        if (settings.Reduction != ReductionMethod.None && settings.Dimensions > channels)
            return $"The backbone '{Identity.Name}' has {channels} channels; {settings.Dimensions} dimensions cannot be drawn from them.";
        if (FixedSize is { } only && only != size)
            return $"The backbone '{Identity.Name}' takes images of {only} x {only} pixels only; set the image size, or the crop size, to {only}.";
        var side = (size + Taps[0].Stride - 1L) / Taps[0].Stride;
        double d = settings.Reduction == ReductionMethod.None ? channels : settings.Dimensions;
        // Per position a float64 scatter and a float32 whitening factor, both triangles.
        var (values, available) = (side * side * d * (d + 1) / 2, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return values > Array.MaxLength || 12 * values > 0.8 * available
            ? FormattableString.Invariant($"A fit with {side} x {side} positions and {d} dimensions needs {12 * values / (1L << 30):f1} GiB of memory; {available / (double)(1L << 30):f1} GiB are there. Use fewer dimensions or a smaller image size.")
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }

    private static InferenceSession Create(byte[] onnx, BackboneRuntime runtime)
    {
        using var options = runtime.CreateSessionOptions();
        return new InferenceSession(onnx, options);
    }

    private static int? FixedSizeOf(InferenceSession session)
    {
        var shape = session.InputMetadata[session.InputNames[0]].Dimensions;
        if (shape.Length != 4) throw new InvalidDataException($"its input has {shape.Length} axes; a backbone takes (n, 3, h, w)");
        if (shape[1] is not (3 or -1)) throw new InvalidDataException($"its input is of shape ({string.Join(", ", shape)}); a backbone takes batches of three-channel images, (n, 3, h, w)");
        if (shape[2] > 0 && shape[2] != shape[3]) throw new InvalidDataException("its input has a fixed size that is not square");
        return shape[2] > 0 ? shape[2] : null;
    }

    /// <summary>Measures strides and channels on a batch of two black images: the graph's own word on its shapes may be missing, or tie it to a batch of one.</summary>
    private BackboneTap[] Probe()
    {
        var size = FixedSize ?? ProbeSize;
        using var features = Extract(new float[2 * 3 * size * size], 2, new Grid(size, size));
        if (features[0].Any(map => !float.IsFinite(TensorPrimitives.SumOfMagnitudes(map.Values.Span)))) throw new InvalidDataException("it answers a black image with values that are not finite");
        return [.. features[0].Select((map, i) => new BackboneTap(Identity.Taps[i], (int)Math.Round((double)size / map.Grid.Height), map.Channels))];
    }
}
