using System.Collections.Frozen;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// What a pickle may name of a program: the few things that checkpoints of tensors are made of. None of it is looked up
/// in a program; all of it is done here.
/// </summary>
/// <param name="Kind">What is done where it is called.</param>
/// <param name="Type">The numbers, of a storage's type.</param>
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

    /// <summary>Kinds of what is allowed.</summary>
    internal enum Kinds
    {
        /// <summary>An ordered dictionary is made.</summary>
        Dictionary,

        /// <summary>A view of a storage is made.</summary>
        Tensor,

        /// <summary>A parameter is the tensor in it.</summary>
        Parameter,

        /// <summary>The type of a storage; not called.</summary>
        StorageType,
    }

    /// <summary>The thing of a name.</summary>
    /// <exception cref="InvalidDataException">It is not among those that are allowed.</exception>
    public static PickleGlobal Get(string module, string name) =>
        Allowed.TryGetValue($"{module}.{name}", out var global)
            ? global
            : throw new InvalidDataException(
                $"The weights file wants to run {WeightsFile.Quote($"{module}.{name}")}, which a file of tensors has no need of; it is refused. A state dict that is saved by itself is read."
            );
}
