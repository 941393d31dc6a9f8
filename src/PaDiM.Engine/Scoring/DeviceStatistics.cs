using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Models;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// A model's statistics and the weights of its reduction in the device's memory, under the names by which the graphs
/// read them. They get there through a graph of nodes that only copy: the runtime brings its inputs to the device, and
/// its outputs stay there. Owner of that memory.
/// </summary>
/// <remarks>
/// A session for each model: its memory goes back to the device when it ends, while one that models share would keep
/// what it has once had.
/// </remarks>
internal sealed class DeviceStatistics : IDisposable
{
    private const int Opset = 18,
        IrVersion = 8;
    private const string Copied = "/copied";

    // The tensors lie in memory of this session's allocator.
    private readonly InferenceSession _session;
    private readonly IDisposableReadOnlyCollection<OrtValue> _tensors;

    /// <summary>Copies the statistics; for that long they lie in the host's memory too.</summary>
    public DeviceStatistics(PadimModel model, Backbone backbone)
    {
        var runtime = backbone.Runtime;
        var statistics = ScoringStatistics
            .Of(model)
            .Concat(
                backbone.Taps.Select(
                    (tap, l) =>
                        new ScoringTensor(
                            TapReduction.WeightsOf(tap.Tensor),
                            [tap.Channels, model.Reduction.Dimensions],
                            model.Reduction.GetTapWeights(l).ToArray()
                        )
                )
            )
            .ToArray();
        Names = [.. statistics.Select(tensor => tensor.Name)];
        Bytes = sizeof(float) * statistics.Sum(tensor => tensor.Length);
        using var options = runtime.CreateSessionOptions(onlyHolds: true);
        _session = new InferenceSession(CopyingGraph(statistics), options);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = runtime.Threads };
        var host = new List<OrtValue>();
        try
        {
            using var memory = runtime.CreateMemoryInfo();
            using var binding = _session.CreateIoBinding();
            foreach (var tensor in statistics)
            {
                host.Add(OrtValue.CreateTensorValueFromMemory(tensor.ToArray(parallel), [.. tensor.Shape]));
                binding.BindInput(tensor.Name, host[^1]);
                binding.BindOutputToDevice(tensor.Name + Copied, memory);
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

    /// <summary>Names of the tensors.</summary>
    private IReadOnlyList<string> Names { get; }

    /// <summary>What they take on the device.</summary>
    public long Bytes { get; }

    /// <summary>Makes those that a session reads inputs of a run.</summary>
    public void BindTo(OrtIoBinding binding, InferenceSession reader)
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

    private static byte[] CopyingGraph(IReadOnlyList<ScoringTensor> statistics)
    {
        var builder = new GraphBuilder(new GraphProto { Name = "copy" }, Opset);
        foreach (var tensor in statistics)
        {
            builder.Input(tensor.Name, [.. tensor.Shape]);
            builder.Node("Identity", tensor.Name + Copied, [tensor.Name]);
            builder.Output(tensor.Name + Copied, [.. tensor.Shape]);
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
