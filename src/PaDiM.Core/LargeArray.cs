namespace PaDiM.Core;

/// <summary>
/// Arrays of many megabytes that are written from end to end, in <see cref="HugePages"/> where there are any.
/// </summary>
public static unsafe class LargeArray
{
    private const nuint MinBytes = 1 << 20;

    /// <summary>An array of zeros.</summary>
    /// <param name="length">Elements.</param>
    /// <returns>Not yet in memory, but for what its owner writes.</returns>
    /// <exception cref="OutOfMemoryException">More than there can be.</exception>
    public static T[] Create<T>(long length)
        where T : unmanaged
    {
        var array = new T[length];
        if ((nuint)length * (nuint)sizeof(T) < MinBytes)
            return array;
        fixed (T* start = array)
            HugePages.Request(start, (nuint)array.LongLength * (nuint)sizeof(T));
        return array;
    }
}
