namespace Archiver.Testing.Proof;

/// <summary>What may befall a request on its way to the store and back.</summary>
public enum StoreFault
{
    /// <summary>Passed on as it is.</summary>
    None,

    /// <summary>Passed on, answered late.</summary>
    Latency,

    /// <summary>500 InternalError instead of the store's answer; the store sees nothing.</summary>
    InternalError,

    /// <summary>503 SlowDown, likewise.</summary>
    SlowDown,

    /// <summary>403 AccessDenied, likewise.</summary>
    AccessDenied,

    /// <summary>501 NotImplemented, likewise.</summary>
    NotImplemented,

    /// <summary>413 of a proxy that lets no such long body through, likewise.</summary>
    TooLarge,

    /// <summary>
    /// For a removal of many objects: the answer says that the first is gone and that the others met an InternalError; the store sees
    /// nothing.
    /// </summary>
    PartlyRemoved,

    /// <summary>The connection is reset before the store sees the request.</summary>
    ResetBefore,

    /// <summary>The store does it, and its answer is lost.</summary>
    AnswerLost,

    /// <summary>The connection is reset in the middle of the answer's body.</summary>
    ResetInBody,

    /// <summary>The connection ends in the middle of the answer's body as if all had been sent.</summary>
    Truncated,

    /// <summary>A byte of the answer's body is another one.</summary>
    WrongByte,

    /// <summary>The answer's body comes in small pieces with pauses between.</summary>
    Trickle,

    /// <summary>200 with a page of HTML, as a captive portal or a proxy's login gives it; the store sees nothing.</summary>
    HtmlPage,

    /// <summary>200 without a body, likewise.</summary>
    NoBody,

    /// <summary>200 with a listing of another bucket, likewise.</summary>
    OtherBucket,

    /// <summary>200 with a listing of the right kind, bucket and prefix that holds nothing, likewise.</summary>
    EmptyListing,

    /// <summary>No answer at all, and the connection stays open.</summary>
    Silence,
}
