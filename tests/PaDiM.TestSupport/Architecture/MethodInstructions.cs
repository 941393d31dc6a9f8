using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace PaDiM.TestSupport.Architecture;

/// <summary>Reads the intermediate language of a method (ECMA-335, partition III).</summary>
internal static class MethodInstructions
{
    /// <summary>First byte of an operation code of two bytes.</summary>
    private const byte Prefix = 0xFE;

    private static readonly Dictionary<short, OperandType> Operands = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value, code => code.OperandType);

    /// <summary>Finds the types, methods and fields that the instructions of a method name.</summary>
    public static IEnumerable<MemberInfo> FindMembers(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var typeArguments = method.DeclaringType?.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length; )
        {
            var operand = Operands[code[at] == Prefix ? (short)(Prefix << 8 | code[at + 1]) : code[at]];
            at += code[at] == Prefix ? 2 : 1;
            if (
                operand
                is OperandType.InlineMethod
                    or OperandType.InlineField
                    or OperandType.InlineType
                    or OperandType.InlineTok
            )
                if (method.Module.ResolveMember(ReadInt32(code, at), typeArguments, methodArguments) is { } member)
                    yield return member;
            at += GetLength(operand, code, at);
        }
    }

    private static int GetLength(OperandType operand, byte[] code, int at) =>
        operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            // A jump table: the number of targets, then that many offsets.
            OperandType.InlineSwitch => sizeof(int) + sizeof(int) * ReadInt32(code, at),
            _ => sizeof(int),
        };

    private static int ReadInt32(byte[] code, int at) => BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at));
}
