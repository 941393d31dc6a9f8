using System.Reflection;

namespace PaDiM.TestSupport.Architecture;

/// <summary>
/// Finds code that could reach ONNX Runtime before its telemetry is off. Only one class may open the library; whatever
/// needs a session gets it there.
/// </summary>
public static class OnnxRuntimeUse
{
    private const string Library = "Microsoft.ML.OnnxRuntime",
        OnlyUser = "PaDiM.Engine.Inference.OnnxRuntimeLibrary";

    private const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Looks through this project's assemblies beside the test program, the program itself included.
    /// </summary>
    /// <returns>The methods that open the library themselves; empty if all is well.</returns>
    /// <exception cref="InvalidOperationException">No assembly uses the library, so there was nothing to look
    /// at.</exception>
    public static IReadOnlyList<string> FindDetours()
    {
        var users = Directory
            .EnumerateFiles(AppContext.BaseDirectory, "*.dll")
            .Where(path => Path.GetFileName(path).StartsWith("padim", StringComparison.OrdinalIgnoreCase))
            .Select(Assembly.LoadFrom)
            .Where(assembly => assembly.GetReferencedAssemblies().Any(used => used.Name == Library))
            .ToArray();
        if (users.Length == 0)
            throw new InvalidOperationException($"No assembly here uses {Library}.");
        return
        [
            .. users
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type => !IsOnlyUser(type))
                .SelectMany(type => type.GetConstructors(Declared).Concat<MethodBase>(type.GetMethods(Declared)))
                .Where(method => MethodInstructions.FindMembers(method).Any(Opens))
                .Select(method => $"{method.DeclaringType}.{method.Name}"),
        ];
    }

    /// <summary>Lambdas and iterators are nested types of their method's class.</summary>
    private static bool IsOnlyUser(Type type) =>
        type.FullName == OnlyUser || (type.DeclaringType is { } outer && IsOnlyUser(outer));

    private static bool Opens(MemberInfo member) =>
        member.DeclaringType is { Namespace: Library } type
        && (
            type.Name == "OrtEnv" || (member is ConstructorInfo && type.Name is "InferenceSession" or "SessionOptions")
        );
}
