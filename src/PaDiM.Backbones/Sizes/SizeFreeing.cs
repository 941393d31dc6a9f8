using PaDiM.Core.Geometry;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;

namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Changes a network that was exported for one batch size or one image size so that it takes any. The result is
/// compared with the original at its own size, so that a network that cannot be changed stays as it is.
/// </summary>
internal sealed class SizeFreeing
{
    /// <summary>The sides that vision transformers are usually exported with, in pixels.</summary>
    private static readonly int[] UsualSides = [224, 518, 256, 512, 384, 448, 336, 392];

    /// <summary>The largest side of images that a network is run on, in pixels.</summary>
    private const int LargestSide = TapProbe.LargestSize;

    /// <summary>Largest difference of a tap from the original, over the root mean square of its values.</summary>
    private const double Tolerance = 1e-3;

    private readonly GraphEditor _tapped;
    private readonly PatchLayer? _patches;
    private readonly BackboneRuntime _runtime;

    private SizeFreeing(GraphEditor tapped, BackboneRuntime runtime)
    {
        _tapped = tapped;
        _patches = PatchLayer.Find(tapped);
        _runtime = runtime;
    }

    /// <summary>Frees the sizes of a network; null if they are free already, or nothing shows that they are not.</summary>
    /// <param name="onnx">The ONNX file.</param>
    /// <param name="manifest">Names the taps.</param>
    /// <param name="runtime">Runs the network.</param>
    /// <exception cref="InvalidDataException">The file is not a graph with taps.</exception>
    public static FreedGraph? TryRun(byte[] onnx, BackboneManifest manifest, BackboneRuntime runtime)
    {
        var graph = GraphEditor.Open(onnx);
        var tapped = graph.WithOutputs(manifest.Taps?.Select(tap => tap.Tensor).ToArray() ?? TapFinder.Find(graph));
        return tapped.Inputs.Count == 1 ? new SizeFreeing(tapped, runtime).Run() : null;
    }

    private FreedGraph? Run()
    {
        var free = _tapped.Edit(graph => FreeInput(GetInput(graph)));
        var declared = GetDeclaredSize();
        if (declared is null && (_patches is null || RunsAtAnySize(free)))
            return null;
        if ((declared ?? FindNativeSize()) is not { } native)
            return null;
        if (NativeRun.TryRun(_tapped, _tapped.Outputs, 1, native, _runtime) is not { } expected)
            return null;
        foreach (var candidate in CreateCandidates(free, native))
            if (RunsAtAnySize(candidate) && IsSame(candidate, native, expected))
                return new FreedGraph(
                    candidate.ToArray(),
                    $"The network was made for images of {native.Height} x {native.Width} pixels; it was changed to take"
                        + " images of any size."
                );
        return new FreedGraph(
            null,
            $"The network takes only images of {native.Height} x {native.Width} pixels: its layers do not show how to"
                + " change that. Export it with dynamic axes for another size."
        );
    }

    /// <summary>Creates the changed graphs to try, the likeliest first.</summary>
    private IEnumerable<GraphEditor> CreateCandidates(GraphEditor free, Grid native)
    {
        var layers = new LayerShapes(free, _patches, native);
        if (!layers.TryMeasure(_runtime))
            yield break;
        foreach (var interpolation in layers.Interpolations)
            yield return layers.Free(interpolation);
    }

    private bool RunsAtAnySize(GraphEditor graph)
    {
        var step = _patches?.Size ?? 32;
        // Two sizes, neither of them usual, and neither square.
        foreach (var size in new[] { new Grid(7 * step, 9 * step), new Grid(12 * step, 11 * step) })
        {
            if (NativeRun.TryRun(graph, graph.Outputs, 2, size, _runtime) is not { } taps)
                return false;
            var patches = _patches is null ? 0 : size.Height / step * (size.Width / step);
            if (taps.Any(tap => tap.Shape[0] != 2 || (tap.Shape.Length == 3 && tap.Shape[1] < patches)))
                return false;
        }
        return true;
    }

    private bool IsSame(GraphEditor candidate, Grid native, IReadOnlyList<TensorValues> expected) =>
        NativeRun.TryRun(candidate, candidate.Outputs, 1, native, _runtime) is { } actual
        && expected.Zip(actual).All(pair => IsSame(pair.First, pair.Second));

    private static bool IsSame(TensorValues expected, TensorValues actual)
    {
        if (!expected.Shape.SequenceEqual(actual.Shape))
            return false;
        var rms = Math.Sqrt(expected.Values.Average(value => (double)value * value));
        return expected.Values.Zip(actual.Values).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance * rms);
    }

    /// <summary>Gets the size that the input declares; null if it declares none.</summary>
    private Grid? GetDeclaredSize() =>
        GetInput(_tapped.Graph).Type?.TensorType?.Shape?.Dim
            is [_, _, { HasDimValue: true } height, { HasDimValue: true } width]
        && height.DimValue is > 0 and <= LargestSide
        && width.DimValue is > 0 and <= LargestSide
            ? new Grid((int)height.DimValue, (int)width.DimValue)
            : null;

    /// <summary>Finds the one size that layers need although the input declares any.</summary>
    private Grid? FindNativeSize() =>
        UsualSides
            .Concat(GetSidesOfTables())
            .Where(side => side % _patches!.Size == 0)
            .Distinct()
            .Select(side => (Grid?)new Grid(side, side))
            .FirstOrDefault(size => NativeRun.TryRun(_tapped, _tapped.Outputs, 1, size!.Value, _runtime) is not null);

    /// <summary>Gets the sides of the images whose patches have as many vectors as a table among the weights.</summary>
    private IEnumerable<int> GetSidesOfTables() =>
        from tensor in _tapped.Graph.Initializer
        where tensor.Dims is [1, > 4 and < 1 << 16, _]
        from others in Enumerable.Range(0, 8)
        let side = Math.Sqrt(tensor.Dims[1] - others)
        where side > 1 && side % 1 == 0
        select (int)side * _patches!.Size;

    private ValueInfoProto GetInput(GraphProto graph) => graph.Input.Single(input => input.Name == _tapped.Inputs[0]);

    private static void FreeInput(ValueInfoProto input)
    {
        var dimensions = input.Type?.TensorType?.Shape?.Dim;
        for (var axis = 0; axis < dimensions?.Count; axis++)
            if (axis != 1)
            {
                dimensions[axis].ClearDimValue();
                dimensions[axis].DimParam = axis switch
                {
                    0 => "batch",
                    2 => "height",
                    _ => "width",
                };
            }
    }
}
