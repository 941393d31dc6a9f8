using System.Collections.Frozen;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Represents a Python global that a pickle may name: the few that checkpoints of tensors use. None is looked up in
/// Python; all are implemented here.
/// </summary>
/// <param name="Kind">The effect of a call.</param>
/// <param name="Type">The type of the numbers, for a storage type.</param>
internal sealed record PickleGlobal(PickleGlobal.Kinds Kind, ElementType Type = default)
{
    private static readonly FrozenDictionary<string, PickleGlobal> Allowed = new Dictionary<string, PickleGlobal>([
        KeyValuePair.Create("collections.OrderedDict", new PickleGlobal(Kinds.Dictionary)),
        KeyValuePair.Create("torch._utils._rebuild_tensor", new PickleGlobal(Kinds.Tensor)),
        KeyValuePair.Create("torch._utils._rebuild_tensor_v2", new PickleGlobal(Kinds.Tensor)),
        KeyValuePair.Create("torch._utils._rebuild_parameter", new PickleGlobal(Kinds.Parameter)),
        .. Enum.GetValues<ElementType>()
            .Select(type => KeyValuePair.Create($"torch.{type}Storage", new PickleGlobal(Kinds.StorageType, type))),
    ]).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Lists the kinds of allowed globals.</summary>
    internal enum Kinds
    {
        /// <summary>Creates an ordered dictionary.</summary>
        Dictionary,

        /// <summary>Creates a view of a storage.</summary>
        Tensor,

        /// <summary>Returns the tensor of a parameter.</summary>
        Parameter,

        /// <summary>The type of a storage; not called.</summary>
        StorageType,
    }

    /// <summary>Gets a global by name.</summary>
    /// <exception cref="InvalidDataException">It is not allowed.</exception>
    public static PickleGlobal Get(string module, string name) =>
        Allowed.TryGetValue($"{module}.{name}", out var global)
            ? global
            : throw new InvalidDataException(
                $"The weights file was refused: it tries to run {WeightsFile.Quote($"{module}.{name}")}, "
                    + "which tensors do not need. Save the state dict on its own instead."
            );
}
