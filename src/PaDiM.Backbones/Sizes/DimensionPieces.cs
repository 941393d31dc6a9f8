using PaDiM.Engine.Graphs;

namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Adds the extents of tensors to a graph, as int64 tensors of one value that are computed while it runs. Each is added
/// once.
/// </summary>
internal sealed class DimensionPieces(GraphBuilder builder, PatchLayer? patches)
{
    private const string Prefix = "free_size/";
    private readonly Dictionary<string, string> _added = new(StringComparer.Ordinal);

    /// <summary>Gets the builder of the graph.</summary>
    public GraphBuilder Builder => builder;

    /// <summary>Gets a name that no tensor of the network has.</summary>
    public static string GetName(string name) => $"{Prefix}{name}";

    /// <summary>Gets the extent of an axis of a tensor.</summary>
    public string GetExtent(string tensor, int axis) =>
        Add(
            $"{tensor}/{axis}",
            name =>
            {
                var shape = Add($"{tensor}/shape", shapeName => builder.AddNode("Shape", shapeName, [tensor]));
                return builder.AddNode("Gather", name, [shape, GetConstant(axis)]);
            }
        );

    /// <summary>Gets the number of patches of a column of the image.</summary>
    public string Rows => GetExtent(patches!.Map, 2);

    /// <summary>Gets the number of patches of a row of the image.</summary>
    public string Columns => GetExtent(patches!.Map, 3);

    /// <summary>Gets the number of tokens if some more than the patches are tokens.</summary>
    public string GetTokens(int besidesPatches) =>
        Add(
            $"tokens_{besidesPatches}",
            name =>
            {
                var ofPatches = GetProduct([Rows, Columns]);
                return builder.AddNode("Add", name, [ofPatches, GetConstant(besidesPatches)]);
            }
        );

    /// <summary>Gets the product of extents.</summary>
    public string GetProduct(IReadOnlyList<string> extents) =>
        extents
            .Skip(1)
            .Aggregate(
                extents[0],
                (product, extent) => Add($"{product}*{extent}", name => builder.AddNode("Mul", name, [product, extent]))
            );

    /// <summary>Gets a fixed extent.</summary>
    public string GetConstant(long value) => Add($"extent_{value}", name => builder.AddConstant(name, [1], [value]));

    /// <summary>Adds a shape of several extents.</summary>
    public string AddShape(string name, IReadOnlyList<string> extents) =>
        builder.AddNode("Concat", GetName(name), extents, GraphBuilder.CreateAttribute("axis", 0));

    private string Add(string key, Func<string, string> add)
    {
        if (!_added.TryGetValue(key, out var name))
            _added[key] = name = add(GetName(key));
        return name;
    }
}
