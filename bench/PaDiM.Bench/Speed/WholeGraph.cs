using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Export;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Speed;

/// <summary>
/// Runs a model as one ONNX file in ONNX Runtime with the same number of threads: backbone, distances, smoothing and
/// maximum, without any code of this project.
/// </summary>
internal sealed class WholeGraph : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly float[] _pixels;
    private readonly Grid _size;

    private WholeGraph(byte[] file, PadimModel model, Backbone backbone, int largestBatch)
    {
        _session = backbone.Runtime.CreateSession(file);
        _size = model.Settings.GetPreparedSize();
        _pixels = new float[largestBatch * 3 * _size.Positions];
        var random = new Random(1);
        foreach (ref var value in _pixels.AsSpan())
            value = random.NextSingle();
    }

    /// <summary>Creates the graph that this project exports.</summary>
    public static WholeGraph CreateExported(PadimModel model, Backbone backbone, int largestBatch)
    {
        var export = OnnxExport.Create(model, backbone, new ExportNotes(1));
        var file = new byte[export.Length];
        var at = 0;
        foreach (var piece in export.GetPieces())
        {
            piece.CopyTo(file.AsMemory(at));
            at += piece.Length;
        }
        return new WholeGraph(file, model, backbone, largestBatch);
    }

    /// <summary>Creates the graph that other projects export.</summary>
    public static WholeGraph CreateConventional(PadimModel model, Backbone backbone, int largestBatch) =>
        new(ConventionalGraph.ToArray(model, backbone), model, backbone, largestBatch);

    /// <summary>Scores images that already have the right size: resizing is not part of the graph.</summary>
    public void Run(int count)
    {
        using var images = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance,
            _pixels.AsMemory(0, count * 3 * _size.Positions),
            [count, 3, _size.Height, _size.Width]
        );
        _session.Run(_options, _session.InputNames, [images], _session.OutputNames).Dispose();
    }

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }
}
