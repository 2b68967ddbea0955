// Events of the element bubble: one listener hears all that are on the page.
const say = (text) => { document.getElementById('last').textContent = text; };

document.getElementById('here').textContent = location.origin;
document.addEventListener('peer-joined', ({ detail: { person } }) => say(`${person.name || 'Somebody'} is here.`));
document.addEventListener('peer-left', ({ detail: { person } }) => say(`${person.name || 'Somebody'} has gone.`));
document.addEventListener('problem', ({ detail: { problem } }) => say(problem.message));
