using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace Archiver.Core.Query;

/// <summary>
/// A table function of DuckDB that reads a table of fetched documents: only the columns that the SQL uses, on as many threads as DuckDB
/// wants. What goes wrong is kept, because DuckDB passes a text on and no exception.
/// </summary>
internal sealed unsafe class DuckScan(
    ViewTable view,
    DocumentSpool spool,
    DocumentShapes shapes,
    long rows,
    int threads,
    CancellationToken cancellationToken
) : IDisposable
{
    private GCHandle _self;

    /// <summary>Why a scan ended early.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Before it is tried again.</summary>
    public void Forget() => Failure = null;

    /// <summary>Makes it known to a connection.</summary>
    public void Register(DuckDBNativeConnection connection, string name)
    {
        _self = GCHandle.Alloc(this);
        var function = NativeMethods.TableFunction.DuckDBCreateTableFunction();
        try
        {
            NativeMethods.TableFunction.DuckDBTableFunctionSetName(function, name);
            NativeMethods.TableFunction.DuckDBTableFunctionSetExtraInfo(function, GCHandle.ToIntPtr(_self), &Keep);
            NativeMethods.TableFunction.DuckDBTableFunctionSetBind(function, &Bind);
            NativeMethods.TableFunction.DuckDBTableFunctionSetInit(function, &Init);
            NativeMethods.TableFunction.DuckDBTableFunctionSetFunction(function, &Fill);
            NativeMethods.TableFunction.DuckDBTableFunctionSupportsProjectionPushdown(function, true);
            if (NativeMethods.TableFunction.DuckDBRegisterTableFunction(connection, function) != DuckDBState.Success)
                throw new InvalidOperationException($"DuckDB does not take the table function '{name}'.");
        }
        finally
        {
            NativeMethods.TableFunction.DuckDBDestroyTableFunction(ref function);
        }
    }

    /// <summary>The connection must be closed before.</summary>
    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Keep(IntPtr handle)
    {
        // Ours to free: the object outlives the function.
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Bind(IntPtr info)
    {
        var scan = Of(NativeMethods.TableFunction.DuckDBBindGetExtraInfo(info));
        try
        {
            foreach (var column in scan.View.Columns)
            {
                using var type = DuckType.Create(column.Type);
                NativeMethods.TableFunction.DuckDBBindAddResultColumn(info, column.Name, type);
            }
            NativeMethods.TableFunction.DuckDBBindSetCardinality(info, (ulong)scan.Rows, false);
        }
        catch (Exception exception)
        {
            NativeMethods.TableFunction.DuckDBBindSetError(info, scan.Keep(exception));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Init(IntPtr info)
    {
        var scan = Of(NativeMethods.TableFunction.DuckDBInitGetExtraInfo(info));
        var wanted = Enumerable
            .Range(0, (int)NativeMethods.TableFunction.DuckDBInitGetColumnCount(info))
            // No column of ours, where only rows are counted.
            .Select(i => NativeMethods.TableFunction.DuckDBInitGetColumnIndex(info, (ulong)i))
            .Select(index => index < (ulong)scan.View.Columns.Count ? (int)index : -1)
            .ToList();
        var pass = GCHandle.Alloc(new Pass(scan, wanted));
        NativeMethods.TableFunction.DuckDBInitSetInitData(info, GCHandle.ToIntPtr(pass), &End);
        DuckType.SetMaxThreads(info, scan.Threads);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void End(IntPtr handle)
    {
        var pass = GCHandle.FromIntPtr(handle);
        ((Pass)pass.Target!).Dispose();
        pass.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Fill(IntPtr info, IntPtr chunk)
    {
        var pass = (Pass)GCHandle.FromIntPtr(NativeMethods.TableFunction.DuckDBFunctionGetInitData(info)).Target!;
        try
        {
            pass.Scan.CancellationToken.ThrowIfCancellationRequested();
            DuckChunk.SetSize(chunk, pass.Fill(chunk));
        }
        catch (Exception exception)
        {
            NativeMethods.TableFunction.DuckDBFunctionSetError(info, pass.Scan.Keep(exception));
        }
    }

    private ViewTable View => view;

    private long Rows => rows;

    private int Threads => threads;

    private CancellationToken CancellationToken => cancellationToken;

    private static DuckScan Of(IntPtr handle) => (DuckScan)GCHandle.FromIntPtr(handle).Target!;

    private string Keep(Exception exception)
    {
        Failure ??= exception;
        return exception.GetType().Name;
    }

    /// <summary>One reading of the whole table; each thread takes a cursor, and the next takes it on.</summary>
    private sealed class Pass(DuckScan scan, IReadOnlyList<int> wanted) : IDisposable
    {
        private readonly ConcurrentBag<DocumentCursor> _idle = [];
        private int _block = -1;

        public DuckScan Scan => scan;

        public int Fill(IntPtr chunk)
        {
            var vectors = new DuckVector[wanted.Count];
            for (var slot = 0; slot < vectors.Length; slot++)
                vectors[slot] = DuckChunk.Vector(chunk, slot, wanted[slot] < 0 ? null : scan.View.Columns[wanted[slot]]);
            if (!_idle.TryTake(out var cursor))
                cursor = new(scan.Spool, new ScannedColumns(scan.View, wanted, scan.Shapes.All), Next);
            try
            {
                return cursor.Fill(vectors, DuckChunk.Capacity);
            }
            finally
            {
                _idle.Add(cursor);
            }
        }

        public void Dispose()
        {
            foreach (var cursor in _idle)
                cursor.Dispose();
        }

        private int? Next() => Interlocked.Increment(ref _block) is var block && block < scan.Spool.Blocks ? block : null;
    }

    private DocumentSpool Spool => spool;

    private DocumentShapes Shapes => shapes;
}
