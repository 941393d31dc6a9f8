using System.Reflection;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests;

public sealed class ArchitectureTests
{
    private static readonly Assembly Core = typeof(Grid).Assembly;

    /// <summary>Arithmetic, collections, streams and JSON: all that mathematics and its files need.</summary>
    private static readonly string[] Allowed =
    [
        "System.Collections",
        "System.Collections.Concurrent",
        "System.IO.Hashing",
        "System.Linq",
        "System.Memory",
        "System.Numerics.Tensors",
        "System.Numerics.Vectors",
        "System.Runtime",
        "System.Runtime.Extensions",
        "System.Runtime.InteropServices",
        "System.Runtime.Intrinsics",
        "System.Text.Encodings.Web",
        "System.Text.Json",
        "System.Threading",
        "System.Threading.Tasks.Parallel",
    ];

    [Fact]
    public void Core_references_only_arithmetic_collections_and_json() =>
        Assert.Empty(Core.GetReferencedAssemblies().Select(reference => reference.Name).Except(Allowed));

    [Theory]
    [InlineData("Microsoft.AspNetCore")]
    [InlineData("Microsoft.EntityFrameworkCore")]
    [InlineData("Microsoft.Extensions")]
    [InlineData("Microsoft.ML.OnnxRuntime")]
    [InlineData("NetVips")]
    [InlineData("PaDiM.")]
    [InlineData("Serilog")]
    [InlineData("System.Net")]
    public void Core_knows_nothing_of(string prefix) =>
        Assert.DoesNotContain(
            Core.GetReferencedAssemblies(),
            reference => reference.Name!.StartsWith(prefix, StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("Alignment")]
    [InlineData("Embedding", "Alignment")]
    [InlineData("Statistics", "Embedding")]
    [InlineData("Scoring", "Embedding", "Statistics")]
    [InlineData("Calibration", "Embedding", "Statistics", "Scoring")]
    [InlineData("Training")]
    public void Each_folder_uses_only_earlier_steps_of_the_pipeline(string folder, params string[] earlier)
    {
        string[] allowed = ["PaDiM.Core", .. earlier.Append(folder).Select(name => $"PaDiM.Core.{name}")];
        var used = Core.GetTypes()
            .Where(type => type.Namespace == $"PaDiM.Core.{folder}")
            .SelectMany(Mentioned)
            .Where(type => type.Assembly == Core)
            .Select(type => type.Namespace)
            .OfType<string>()
            .Distinct();
        Assert.Empty(used.Except(allowed));
    }

    /// <summary>
    /// Types in a type's fields, parameters, results and locals, generic arguments and element types included.
    /// </summary>
    private static IEnumerable<Type> Mentioned(Type type)
    {
        const BindingFlags all =
            BindingFlags.Public
            | BindingFlags.NonPublic
            | BindingFlags.Static
            | BindingFlags.Instance
            | BindingFlags.DeclaredOnly;
        var methods = type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all)).ToArray();
        return type.GetFields(all)
            .Select(field => field.FieldType)
            .Concat(methods.SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)))
            .Concat(methods.OfType<MethodInfo>().Select(method => method.ReturnType))
            .Concat(
                methods.SelectMany(method =>
                    method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []
                )
            )
            .SelectMany(Unwrap);
    }

    private static IEnumerable<Type> Unwrap(Type type) =>
        type.HasElementType ? Unwrap(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Unwrap).Append(type)
        : [type];
}
