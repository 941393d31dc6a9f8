using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Models;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Holds a model's statistics and the weights of its reduction in the device's memory, under the names by which the
/// graphs read them. A graph that only copies brings them there: ONNX Runtime moves its inputs to the device, and its
/// outputs stay there. Owns that memory.
/// </summary>
/// <remarks>
/// Each model has a session of its own, whose memory goes back to the device when it is disposed. A shared session
/// would keep the most memory that it ever used.
/// </remarks>
internal sealed class DeviceStatistics : IDisposable
{
    private const int Opset = 18;
    private const int IrVersion = 8;
    private const string CopySuffix = "/copied";

    // The tensors use memory of this session's allocator.
    private readonly InferenceSession _session;
    private readonly IDisposableReadOnlyCollection<OrtValue> _tensors;

    /// <summary>Copies the statistics to the device; meanwhile they are in the host's memory too.</summary>
    public DeviceStatistics(PadimModel model, Backbone backbone)
    {
        var runtime = backbone.Runtime;
        var statistics = ScoringStatistics
            .Create(model)
            .Concat(
                backbone.Taps.Select(
                    (tap, l) =>
                        new ScoringTensor(
                            TapReduction.GetWeightsName(tap.Tensor),
                            [tap.Channels, model.Reduction.Dimensions],
                            model.Reduction.GetTapWeights(l).ToArray()
                        )
                )
            )
            .ToArray();
        Names = [.. statistics.Select(tensor => tensor.Name)];
        Bytes = sizeof(float) * statistics.Sum(tensor => tensor.Length);
        using var options = runtime.CreateSessionOptions(onlyHolds: true);
        _session = OnnxRuntimeLibrary.OpenSession(CreateCopyGraph(statistics), options);
        var parallel = ComputeContext.OnThreadPool(runtime.Threads).ToParallelOptions();
        var host = new List<OrtValue>();
        try
        {
            using var memory = runtime.CreateMemoryInfo();
            using var binding = _session.CreateIoBinding();
            foreach (var tensor in statistics)
            {
                host.Add(OrtValue.CreateTensorValueFromMemory(tensor.ToArray(parallel), [.. tensor.Shape]));
                binding.BindInput(tensor.Name, host[^1]);
                binding.BindOutputToDevice(tensor.Name + CopySuffix, memory);
            }
            using var run = new RunOptions();
            binding.SynchronizeBoundInputs();
            _session.RunWithBinding(run, binding);
            binding.SynchronizeBoundOutputs();
            _tensors = binding.GetOutputValues();
        }
        catch
        {
            _session.Dispose();
            throw;
        }
        finally
        {
            foreach (var value in host)
                value.Dispose();
        }
    }

    /// <summary>Gets the names of the tensors.</summary>
    private IReadOnlyList<string> Names { get; }

    /// <summary>Gets the bytes of device memory that the tensors use.</summary>
    public long Bytes { get; }

    /// <summary>Binds the tensors that a session reads as inputs of a run.</summary>
    public void BindInputs(OrtIoBinding binding, InferenceSession reader)
    {
        for (var i = 0; i < Names.Count; i++)
            if (reader.InputNames.Contains(Names[i]))
                binding.BindInput(Names[i], _tensors[i]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensors.Dispose();
        _session.Dispose();
    }

    private static byte[] CreateCopyGraph(IReadOnlyList<ScoringTensor> statistics)
    {
        var builder = new GraphBuilder(new GraphProto { Name = "copy" }, Opset);
        foreach (var tensor in statistics)
        {
            builder.AddInput(tensor.Name, [.. tensor.Shape]);
            builder.AddNode("Identity", tensor.Name + CopySuffix, [tensor.Name]);
            builder.AddOutput(tensor.Name + CopySuffix, [.. tensor.Shape]);
        }
        return new ModelProto
        {
            IrVersion = IrVersion,
            Graph = builder.Graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = Opset },
            },
        }.ToByteArray();
    }
}
