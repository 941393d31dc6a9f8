using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Architectures;

/// <summary>Represents a network up to its last tap.</summary>
/// <param name="Name">Its usual name.</param>
/// <param name="Taps">The outputs of its graph, finest first.</param>
/// <param name="Forms">The tensor names of each supported library.</param>
internal sealed record Network(string Name, IReadOnlyList<BackboneTap> Taps, IReadOnlyList<NetworkForm> Forms);

/// <summary>Represents a network by the tensor names of one library.</summary>
/// <param name="Anchor">The tensor whose name identifies the form of a file; the text before it is the prefix of all
/// names.</param>
/// <param name="Stages">The prefixes of its tensors. Another tensor with such a prefix means that the file belongs to
/// another network.</param>
/// <param name="Graph">Creates the graph.</param>
internal sealed record NetworkForm(string Anchor, IReadOnlyList<string> Stages, Func<NetworkGraph> Graph);
