using System.Reflection;

namespace PaDiM.TestSupport.Architecture;

/// <summary>A type's use of another type.</summary>
/// <param name="User">The using type, and the member if there is one.</param>
/// <param name="Used">The used type.</param>
internal sealed record TypeUse(string User, Type Used)
{
    private const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Finds all uses in base types, interfaces, attributes, generic constraints, fields, parameters, results, locals,
    /// catch clauses and the instructions of method bodies, static calls included.
    /// </summary>
    public static IEnumerable<TypeUse> FindAll(Type type) =>
        OfDeclaration(type)
            .Concat(type.GetMembers(Declared).SelectMany(member => OfMember(type, member)))
            .SelectMany(use => Unwrap(use.Used), (use, part) => use with { Used = part });

    private static IEnumerable<TypeUse> OfDeclaration(Type type)
    {
        var user = type.Name;
        if (type.BaseType is { } baseType)
            yield return new TypeUse(user, baseType);
        foreach (var used in type.GetInterfaces().Concat(AttributeTypes(type)).Concat(Constraints(type)))
            yield return new TypeUse(user, used);
    }

    private static IEnumerable<TypeUse> OfMember(Type type, MemberInfo member)
    {
        var used = member switch
        {
            FieldInfo field => [field.FieldType],
            MethodBase method => OfMethod(method),
            _ => [],
        };
        return used.Concat(AttributeTypes(member)).Select(each => new TypeUse($"{type.Name}.{member.Name}", each));
    }

    private static IEnumerable<Type> OfMethod(MethodBase method)
    {
        var body = method.GetMethodBody();
        return method
            .GetParameters()
            .SelectMany(parameter => AttributeTypes(parameter).Append(parameter.ParameterType))
            .Concat(method is MethodInfo info ? [info.ReturnType, .. Constraints(info)] : [])
            .Concat(body?.LocalVariables.Select(local => local.LocalType) ?? [])
            .Concat(body?.ExceptionHandlingClauses.Select(CaughtType).OfType<Type>() ?? [])
            .Concat(MethodInstructions.FindMembers(method).SelectMany(OfInstruction));
    }

    /// <summary>
    /// The types that an instruction names: the declaring type, and the arguments of generic methods.
    /// </summary>
    private static IEnumerable<Type> OfInstruction(MemberInfo member) =>
        member switch
        {
            Type type => [type],
            MethodInfo { IsGenericMethod: true } method => method
                .GetGenericArguments()
                .Append(method.DeclaringType)
                .OfType<Type>(),
            _ => member.DeclaringType is { } declaring ? [declaring] : [],
        };

    private static IEnumerable<Type> AttributeTypes(ICustomAttributeProvider provider) =>
        (
            provider switch
            {
                MemberInfo member => member.GetCustomAttributesData(),
                ParameterInfo parameter => parameter.GetCustomAttributesData(),
                _ => [],
            }
        ).SelectMany(attribute =>
            attribute
                .ConstructorArguments.Select(argument => argument.Value)
                .OfType<Type>()
                .Append(attribute.AttributeType)
        );

    private static IEnumerable<Type> Constraints(MemberInfo generic) =>
        generic switch
        {
            Type { IsGenericTypeDefinition: true } type => type.GetGenericArguments(),
            MethodInfo { IsGenericMethodDefinition: true } method => method.GetGenericArguments(),
            _ => Type.EmptyTypes,
        }
            is var parameters
            ? parameters.SelectMany(parameter => parameter.GetGenericParameterConstraints())
            : [];

    private static Type? CaughtType(ExceptionHandlingClause clause) =>
        clause.Flags == ExceptionHandlingClauseOptions.Clause ? clause.CatchType : null;

    private static IEnumerable<Type> Unwrap(Type type) =>
        type.HasElementType ? Unwrap(type.GetElementType()!)
        : type.IsGenericParameter ? []
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Unwrap).Append(type)
        : [type];
}
