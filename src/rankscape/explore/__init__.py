"""Look instead of read: one local page with a room for each question, computed by the functions of the other rooms.

=============  ================================================================================================
`calls`        what a room is asked and answers: `Room`, `Call`, `Frame`, and a state that an address holds
`rooms/`       one file a room: `climb`, `fall`, `complete`, `sweep`; nothing is computed here a second time
`opened`       what was named at the start, and which room shows it
`dropped`      files that come by the page, and what is made of them, until the server ends
`workers`      work in processes that can be ended; `completing` is that of the room `complete`, with `findings`,
               `pictures`, `written` and `fresh_rows`
`reading`      how a file is read, where its content does not tell; `spectra` takes that of a full one
`climbed`      what the room `climb` draws, at which steps, and in Python
`falling`      around the run of the room `fall`: its start, what is near, how long it takes to leave
`live`         that run; `stretches` is what it has been through, `retold` says it in Python
`pace`         how many steps of it make its next picture
`pivot`        runs of the room `sweep` as cells of two axes; `tabulated` says them in Python
`connection`   one socket a page: the newest question of each slot is answered, older ones are dropped
`guard`        who may ask: Host, Origin, token; and what the page may load
`pages`        the HTML of a room, complete before any script runs
`site`         what is found under which address
`server`       its port, its guard, its end
`assets/`      stylesheet, scripts, and uPlot (MIT), which draws the curves
=============  ================================================================================================

A new room is a class in `rooms/`, named in `rooms.ROOMS`, with controls in ``assets/rooms/NAME.html`` and what moves
in ``assets/rooms/NAME.js``, which exports ``mount(page)``.
"""
