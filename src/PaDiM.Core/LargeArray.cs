namespace PaDiM.Core;

/// <summary>
/// Creates arrays of many megabytes that are written from end to end, in <see cref="HugePages"/> where available.
/// </summary>
public static unsafe class LargeArray
{
    /// <summary>Smaller arrays do not gain from huge pages.</summary>
    private const nuint MinBytes = 1 << 20;

    /// <summary>Creates an array of zeros.</summary>
    /// <param name="length">Number of elements.</param>
    /// <returns>The array; its pages take physical memory only once they are written.</returns>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
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
