using System.Numerics;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Reads the pickles of a checkpoint without running any code. It supports only the operations that dictionaries of
/// tensors use. Values are null, bool, long, BigInteger, double, string, <c>object?[]</c> for tuples,
/// <c>List&lt;object?&gt;</c>, <c>OrderedDictionary&lt;object, object?&gt;</c>, and <see cref="StridedTensor"/> and
/// <see cref="Storage"/> for PyTorch's own types. Memory grows with the bytes read.
/// </summary>
internal sealed class Pickle
{
    /// <summary>The first byte of a pickle of protocol 2 or later.</summary>
    public const byte Start = (byte)PickleOperation.Proto;

    /// <summary>
    /// The maximum bytes of a checkpoint's pickle, which bound the objects that it can create. A pickle of a thousand
    /// tensors has a tenth of a megabyte.
    /// </summary>
    public const int MaxBytes = 4 << 20;

    private const int MaxProtocol = 5;

    private static readonly object Mark = new();

    private readonly PickleInput _input;
    private readonly Stack<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];

    private readonly Action<Storage>? _onStorage;

    private Pickle(PickleInput input, Action<Storage>? onStorage)
    {
        _input = input;
        _onStorage = onStorage;
    }

    /// <summary>Reads one pickle.</summary>
    /// <param name="input">The bytes, at the start of the pickle; afterwards at its end.</param>
    /// <param name="onStorage">Receives every storage that the pickle refers to.</param>
    /// <exception cref="InvalidDataException">It is damaged, or uses an operation that is not allowed.</exception>
    public static object? Read(PickleInput input, Action<Storage>? onStorage = null)
    {
        var pickle = new Pickle(input, onStorage);
        while (true)
        {
            var operation = (PickleOperation)input.ReadByte();
            if (operation == PickleOperation.Stop)
                return pickle.Pop();
            pickle.Run(operation);
        }
    }

    private void Run(PickleOperation operation)
    {
        switch (operation)
        {
            case PickleOperation.Proto:
                CheckProtocol(_input.ReadByte());
                break;
            case PickleOperation.Frame:
                _input.ReadUInt64();
                break;
            case PickleOperation.Mark:
                _stack.Push(Mark);
                break;
            case PickleOperation.None:
                _stack.Push(null);
                break;
            case PickleOperation.NewTrue:
                _stack.Push(true);
                break;
            case PickleOperation.NewFalse:
                _stack.Push(false);
                break;
            case PickleOperation.BinInt:
                _stack.Push((long)_input.ReadInt32());
                break;
            case PickleOperation.BinInt1:
                _stack.Push((long)_input.ReadByte());
                break;
            case PickleOperation.BinInt2:
                _stack.Push((long)_input.ReadUInt16());
                break;
            case PickleOperation.Long1:
                PushInteger(new BigInteger(_input.ReadBytes(_input.ReadByte())));
                break;
            case PickleOperation.BinFloat:
                _stack.Push(_input.ReadDouble());
                break;
            case PickleOperation.BinUnicode or PickleOperation.BinString:
                _stack.Push(_input.ReadText(_input.ReadUInt32()));
                break;
            case PickleOperation.ShortBinUnicode or PickleOperation.ShortBinString:
                _stack.Push(_input.ReadText(_input.ReadByte()));
                break;
            case PickleOperation.EmptyTuple:
                _stack.Push(Array.Empty<object?>());
                break;
            case PickleOperation.Tuple:
                _stack.Push(PopToMark());
                break;
            case PickleOperation.Tuple1:
                PushTuple(1);
                break;
            case PickleOperation.Tuple2:
                PushTuple(2);
                break;
            case PickleOperation.Tuple3:
                PushTuple(3);
                break;
            case PickleOperation.EmptyList:
                _stack.Push(new List<object?>());
                break;
            case PickleOperation.Append:
                Append([Pop()]);
                break;
            case PickleOperation.Appends:
                Append(PopToMark());
                break;
            case PickleOperation.EmptyDict:
                _stack.Push(new OrderedDictionary<object, object?>());
                break;
            case PickleOperation.SetItem:
                SetItems([.. new[] { Pop(), Pop() }.Reverse()]);
                break;
            case PickleOperation.SetItems:
                SetItems(PopToMark());
                break;
            case PickleOperation.BinPut:
                _memo[_input.ReadByte()] = Peek();
                break;
            case PickleOperation.LongBinPut:
                _memo[_input.ReadUInt32()] = Peek();
                break;
            case PickleOperation.Memoize:
                _memo[(uint)_memo.Count] = Peek();
                break;
            case PickleOperation.BinGet:
                _stack.Push(GetMemo(_input.ReadByte()));
                break;
            case PickleOperation.LongBinGet:
                _stack.Push(GetMemo(_input.ReadUInt32()));
                break;
            case PickleOperation.Global:
                _stack.Push(PickleGlobal.Get(_input.ReadLine(), _input.ReadLine()));
                break;
            case PickleOperation.StackGlobal:
                PushGlobal(name: Pop(), module: Pop());
                break;
            case PickleOperation.Reduce:
                Call(arguments: Pop(), callee: Pop());
                break;
            case PickleOperation.Build:
                Build(Pop());
                break;
            case PickleOperation.BinPersId:
                PushStorage(Checkpoint.ToStorage(Pop()));
                break;
            default:
                var name = Enum.IsDefined(operation)
                    ? operation.ToString().ToUpperInvariant()
                    : $"0x{(byte)operation:x2}";
                throw new InvalidDataException(
                    $"The weights file was refused: it uses the pickle operation {name}, which tensors do not need."
                );
        }
    }

    private static void CheckProtocol(byte protocol)
    {
        if (protocol > MaxProtocol)
            throw new InvalidDataException(
                $"The weights file uses pickle protocol {protocol}; supported are protocols up to {MaxProtocol}."
            );
    }

    private void PushInteger(BigInteger value) =>
        _stack.Push(value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value);

    private object? Pop() => _stack.TryPop(out var value) && value != Mark ? value : throw Damaged();

    private object? Peek() => _stack.TryPeek(out var value) && value != Mark ? value : throw Damaged();

    private object?[] PopToMark()
    {
        var values = new List<object?>();
        while (_stack.TryPop(out var value))
        {
            if (value == Mark)
            {
                values.Reverse();
                return [.. values];
            }
            values.Add(value);
        }
        throw Damaged();
    }

    private object? GetMemo(uint index) => _memo.TryGetValue(index, out var value) ? value : throw Damaged();

    private void PushTuple(int count)
    {
        var values = new object?[count];
        while (count > 0)
            values[--count] = Pop();
        _stack.Push(values);
    }

    private void PushGlobal(object? module, object? name) =>
        _stack.Push(
            module is string && name is string ? PickleGlobal.Get((string)module, (string)name) : throw Damaged()
        );

    private void PushStorage(Storage storage)
    {
        _onStorage?.Invoke(storage);
        _stack.Push(storage);
    }

    private void Append(object?[] values)
    {
        if (Peek() is not List<object?> list)
            throw Damaged();
        list.AddRange(values);
    }

    private void SetItems(object?[] values)
    {
        if (Peek() is not OrderedDictionary<object, object?> dictionary || values.Length % 2 != 0)
            throw Damaged();
        for (var i = 0; i < values.Length; i += 2)
            SetItem(dictionary, values[i], values[i + 1]);
    }

    private static void SetItem(OrderedDictionary<object, object?> dictionary, object? key, object? value) =>
        dictionary[key is string or long or double or bool ? key : throw Damaged()] = value;

    private void Call(object? callee, object? arguments)
    {
        if (callee is not PickleGlobal global || arguments is not object?[] given)
            throw Damaged();
        _stack.Push(
            (global.Kind, given) switch
            {
                (PickleGlobal.Kinds.Dictionary, []) => new OrderedDictionary<object, object?>(),
                (PickleGlobal.Kinds.Dictionary, [List<object?> pairs]) => ToDictionary(pairs),
                (PickleGlobal.Kinds.Tensor, [Storage storage, long offset, object?[] shape, object?[] strides, ..]) =>
                    new StridedTensor(storage, offset, ToLongs(shape), ToLongs(strides)),
                (PickleGlobal.Kinds.Parameter, [StridedTensor tensor, ..]) => tensor,
                _ => throw Damaged(),
            }
        );
    }

    /// <summary>Creates an ordered dictionary from pairs, as Python 2 wrote it.</summary>
    private static OrderedDictionary<object, object?> ToDictionary(List<object?> pairs)
    {
        var dictionary = new OrderedDictionary<object, object?>();
        foreach (var pair in pairs)
        {
            if (pair is not List<object?> { Count: 2 } items)
                throw Damaged();
            SetItem(dictionary, items[0], items[1]);
        }
        return dictionary;
    }

    /// <summary>
    /// Ignores the attributes of a dictionary (<c>_metadata</c> of a state dict), which do not concern its tensors.
    /// Nothing else has attributes.
    /// </summary>
    private void Build(object? state)
    {
        if (Peek() is not OrderedDictionary<object, object?> || state is not OrderedDictionary<object, object?>)
            throw Damaged();
    }

    private static long[] ToLongs(object?[] values) =>
        [.. values.Select(value => value is long whole ? whole : throw Damaged())];

    private static InvalidDataException Damaged() => new("The weights file is damaged: its pickle is invalid.");
}
