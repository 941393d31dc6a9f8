using System.Reflection;

namespace PaDiM.TestSupport.Architecture;

/// <summary>
/// The partial order of an assembly's namespaces. Every namespace is listed, and may use only namespaces listed before
/// it, so an assembly that keeps the order has no cycles between its namespaces.
/// </summary>
/// <remarks>
/// Names are relative to the root: <c>Data.Migrations</c>, or the empty string for the root itself. Namespaces outside
/// the root, such as those of generated code, are ignored. The compiler copies constants and drops <c>nameof</c>, so
/// those leave no trace in the assembly and are not seen.
/// </remarks>
/// <example>
/// <code>
/// var order = new NamespaceOrder("PaDiM.Core")
///     .AddShared("")
///     .AddShared("Geometry")
///     .Add("Alignment")
///     .Add("Embedding", "Alignment");
/// Assert.Empty(order.FindViolations(typeof(Grid).Assembly));
/// </code>
/// </example>
/// <param name="root">The namespace that all others begin with.</param>
public sealed class NamespaceOrder(string root)
{
    private readonly Dictionary<string, HashSet<string>> _allowed = [];
    private readonly List<string> _shared = [];

    /// <summary>Adds a namespace.</summary>
    /// <param name="name">Relative to the root.</param>
    /// <param name="mayUse">Namespaces added before; the shared ones among them need no mention.</param>
    /// <exception cref="ArgumentException">The namespace is already listed, or one it may use is not.</exception>
    public NamespaceOrder Add(string name, params string[] mayUse)
    {
        foreach (var used in mayUse)
            if (!_allowed.ContainsKey(used))
                throw new ArgumentException($"'{name}' may only use namespaces listed before it, not '{used}'.");
        if (!_allowed.TryAdd(name, [.. mayUse, .. _shared, name]))
            throw new ArgumentException($"'{name}' is listed twice.");
        return this;
    }

    /// <summary>Adds a namespace that every namespace added after it may use.</summary>
    /// <inheritdoc cref="Add"/>
    public NamespaceOrder AddShared(string name, params string[] mayUse)
    {
        Add(name, mayUse);
        _shared.Add(name);
        return this;
    }

    /// <summary>Compares an assembly with the order.</summary>
    /// <returns>One line per namespace that is missing from the list or from the assembly, and one per forbidden use,
    /// with a member that makes it; empty if the assembly keeps the order.</returns>
    public IReadOnlyList<string> FindViolations(Assembly assembly)
    {
        var types = assembly.GetTypes().Where(type => Relative(type) is not null).ToArray();
        var present = types.Select(type => Relative(type)!).ToHashSet();
        var uses =
            from type in types
            from use in TypeUse.FindAll(type)
            where use.Used.Assembly == assembly
            let user = Relative(type)!
            let used = Relative(use.Used)
            where used is not null && _allowed.TryGetValue(user, out var allowed) && !allowed.Contains(used)
            group use by (user, used) into edge
            let example = edge.First()
            orderby edge.Key
            select $"{Full(edge.Key.user)} must not use {Full(edge.Key.used)} "
                + $"({example.User} uses {example.Used.Name}).";
        return
        [
            .. present.Except(_allowed.Keys).Order().Select(name => $"{Full(name)} is not listed."),
            .. _allowed.Keys.Except(present).Order().Select(name => $"{Full(name)} is listed but has no types."),
            .. uses,
        ];
    }

    private string? Relative(Type type) =>
        type.Namespace == root ? ""
        : type.Namespace?.StartsWith(root + ".", StringComparison.Ordinal) == true ? type.Namespace[(root.Length + 1)..]
        : null;

    private string Full(string relative) => relative == "" ? root : $"{root}.{relative}";
}
