using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Architectures;

/// <summary>A network up to its last tap.</summary>
/// <param name="Name">Its usual name.</param>
/// <param name="Taps">Outputs of its graph, finest first.</param>
/// <param name="Forms">The names that its tensors have in files; one of them fits a file.</param>
internal sealed record Network(string Name, IReadOnlyList<BackboneTap> Taps, IReadOnlyList<NetworkForm> Forms);

/// <summary>A network by the names that one library gives its tensors.</summary>
/// <param name="Anchor">A tensor that says by its name which form a file has, and, by what stands before the name,
/// under which prefix.</param>
/// <param name="Stages">What the names of its tensors begin with; a tensor among them that the network does not have
/// means that the file is another network's.</param>
/// <param name="Graph">Makes the graph.</param>
internal sealed record NetworkForm(string Anchor, IReadOnlyList<string> Stages, Func<NetworkGraph> Graph);
