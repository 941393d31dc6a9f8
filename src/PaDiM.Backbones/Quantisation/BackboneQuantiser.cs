using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Creates the int8 variant of a float32 backbone: it measures the ranges of activations on images, rounds weights per
/// channel, and compares the taps of both networks on held-out images. The same file, images and settings give the same
/// bytes.
/// </summary>
public sealed class BackboneQuantiser : IDisposable
{
    /// <summary>The suffix of the name of a variant.</summary>
    public const string Suffix = "-int8";

    /// <summary>The minimum number of images: nine for calibration and one held out.</summary>
    public const int MinImages = 10;

    private readonly Backbone _backbone;
    private readonly Preprocessor _preprocessing;
    private readonly GraphEditor _graph;
    private readonly float[] _prepared;

    /// <summary>Opens a float32 backbone.</summary>
    /// <param name="file">The backbone.</param>
    /// <param name="runtime">The device and threads.</param>
    /// <exception cref="InvalidDataException">It cannot be used.</exception>
    public BackboneQuantiser(BackboneFile file, BackboneRuntime runtime)
    {
        _backbone = Backbone.Load(file, runtime);
        var settings = new FitSettings { ImageSize = _backbone.GetNearestSize(new FitSettings().ImageSize) };
        Decoding = DecodeOptions.For(settings);
        _preprocessing = new Preprocessor(settings, _backbone.Manifest.Normalisation);
        _prepared = new float[3 * _preprocessing.PreparedSize.Positions];
        _graph = BatchNormFolding.Fold(
            GraphEditor.Open(File.ReadAllBytes(file.Path)).WithOutputs(_backbone.Identity.Taps)
        );
    }

    /// <summary>Gets how images are to be decoded.</summary>
    public DecodeOptions Decoding { get; }

    /// <summary>Quantises the backbone. Every tenth image is held out.</summary>
    /// <param name="images">Functions that read and decode an image each; they are called several times.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="progress">Receives the share done, 0 to 1.</param>
    /// <param name="stop">Cancels.</param>
    /// <exception cref="InvalidDataException">The backbone cannot be quantised, or there are too few
    /// images.</exception>
    public QuantisedBackbone Run(
        IReadOnlyList<Func<RgbImage>> images,
        QuantisationSettings settings,
        Action<double> progress,
        CancellationToken stop
    )
    {
        if (images.Count < MinImages)
            throw new InvalidDataException(
                $"Quantisation requires at least {MinImages} images; there are {images.Count}."
            );
        try
        {
            var plan = new QuantisationPlan(_graph, settings);
            var calibration = images.Where((_, i) => i % MinImages != MinImages - 1).ToArray();
            var heldOut = images.Where((_, i) => i % MinImages == MinImages - 1).ToArray();
            var done = 0;
            var total = 2 * calibration.Length + heldOut.Length;
            var statistics = Measure(plan, calibration, Step);
            var quantised = GraphQuantiser.Quantise(_graph, plan, settings, statistics).ToArray();
            var sqnr = Compare(quantised, heldOut, Step);
            var name = _backbone.File.Name + Suffix;
            return new QuantisedBackbone(
                name,
                quantised,
                CreateManifest(quantised, settings, calibration.Length, heldOut.Length, sqnr),
                plan.Convolutions
            );

            void Step()
            {
                stop.ThrowIfCancellationRequested();
                progress(++done / (double)total);
            }
        }
        catch (Exception e) when (e is InvalidDataException or OnnxRuntimeException)
        {
            throw new InvalidDataException($"The backbone '{_backbone.File.Name}' cannot be quantised: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _backbone.Dispose();

    private Dictionary<string, ActivationStatistics> Measure(
        QuantisationPlan plan,
        IReadOnlyList<Func<RgbImage>> images,
        Action step
    )
    {
        var statistics = plan.Measured.ToDictionary(
            name => name,
            _ => new ActivationStatistics(),
            StringComparer.Ordinal
        );
        var input = _graph.Inputs[0];
        using var session = new GraphSession(
            _graph.WithOutputs([.. _graph.Outputs.Union(plan.Measured).Where(name => name != input)]).ToArray(),
            _backbone.Runtime
        );
        Pass((tensor, _, values) => tensor.Widen(values));
        Pass((tensor, channels, values) => tensor.Count(values, channels));
        return statistics;

        void Pass(Visit visit)
        {
            foreach (var image in images)
            {
                _preprocessing.Prepare(image(), _prepared);
                if (statistics.TryGetValue(input, out var pixels))
                    visit(pixels, 3, _prepared);
                session.Run(
                    _prepared,
                    _preprocessing.PreparedSize,
                    (name, channels, values) =>
                    {
                        if (statistics.TryGetValue(name, out var tensor))
                            visit(tensor, channels, values);
                    }
                );
                step();
            }
        }
    }

    private delegate void Visit(ActivationStatistics tensor, int channels, ReadOnlySpan<float> values);

    /// <summary>Computes the signal-to-noise ratio of each tap, in dB.</summary>
    private double[] Compare(byte[] quantised, IReadOnlyList<Func<RgbImage>> images, Action step)
    {
        var signal = new double[_graph.Outputs.Count];
        var noise = new double[_graph.Outputs.Count];
        using var session = new GraphSession(quantised, _backbone.Runtime);
        using var original = new GraphSession(_graph.ToArray(), _backbone.Runtime);
        foreach (var image in images)
        {
            _preprocessing.Prepare(image(), _prepared);
            var exact = new List<float[]>();
            original.Run(_prepared, _preprocessing.PreparedSize, (_, _, values) => exact.Add(values.ToArray()));
            var tap = 0;
            session.Run(
                _prepared,
                _preprocessing.PreparedSize,
                (_, _, values) =>
                {
                    var reference = exact[tap];
                    for (var i = 0; i < values.Length; i++)
                    {
                        signal[tap] += (double)reference[i] * reference[i];
                        noise[tap] += Math.Pow((double)reference[i] - values[i], 2);
                    }
                    tap++;
                }
            );
            step();
        }
        return [.. signal.Zip(noise, (s, n) => 10 * Math.Log10(s / n))];
    }

    private static string FormatMethod(QuantisationSettings settings) =>
        FormattableString.Invariant($"post-training static: uint8 activations a tensor, range by {settings.Range}; ")
        + FormattableString.Invariant($"int8 weights a channel, {settings.WeightBits} bits")
        + (settings.CorrectBias ? "; int32 biases, corrected for the weights' rounding" : "; int32 biases")
        + (settings.FloatStem ? "; layers that read the image float32" : "")
        + (settings.FloatTaps ? "; layers that give a tap and nothing else float32" : "");

    private BackboneManifest CreateManifest(
        byte[] quantised,
        QuantisationSettings settings,
        int calibrationImages,
        int heldOutImages,
        double[] sqnr
    ) =>
        _backbone.Manifest with
        {
            Taps = _backbone.Taps,
            Sha256 = FileHash.Compute(quantised),
            InstalledAt = null,
            Quantisation = new BackboneQuantisation(
                _backbone.File.Name,
                _backbone.Identity.Sha256,
                FormatMethod(settings),
                calibrationImages,
                heldOutImages,
                [.. sqnr.Select(value => Math.Round(value, 2))]
            ),
        };
}
